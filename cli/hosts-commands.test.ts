import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cleanupWait } from './cleanup-wait.ts';
import { cleanup } from './cleanup.ts';
import { configuration } from './configuration.ts';
import { addFlags } from './flag-table.ts';
import type { Environment, FlagTable } from './flag-table.ts';
import {
  cleanupFlags,
  cleanupWaitFlags,
  configurationFlags,
  readCleanupOptions,
  readCleanupWaitOptions,
  readConfigurationOptions,
} from './hosts-flags.ts';
import { servePages } from './page-server.ts';
import { Command } from 'commander';

/** A node's directories, and what a command said. */
interface Setup extends Disposable {
  readonly root: string;
  readonly configPath: string;
  readonly lines: Record<string, unknown>[];
  readonly log: { write(line: string): void };
  line(msg: string): Promise<Record<string, unknown>>;
}

function setUp(): Setup {
  const root = mkdtempSync(join(tmpdir(), 'peili-commands-'));
  const lines: Record<string, unknown>[] = [];
  const waiting = new Map<string, (line: Record<string, unknown>) => void>();
  const log = {
    write: (text: string) => {
      const line = JSON.parse(text) as Record<string, unknown>;
      lines.push(line);
      waiting.get(String(line['msg']))?.(line);
    },
  };
  const line = (msg: string): Promise<Record<string, unknown>> =>
    new Promise((resolve) => {
      const found = lines.find((candidate) => candidate['msg'] === msg);
      if (found === undefined) waiting.set(msg, resolve);
      else resolve(found);
    });
  const configPath = join(root, 'certs.d');
  return {
    root,
    configPath,
    lines,
    log,
    line,
    [Symbol.dispose]: () => {
      rmSync(root, { recursive: true });
    },
  };
}

function given(table: FlagTable, argv: readonly string[]): Record<string, unknown> {
  return addFlags(new Command('x'), table).exitOverride().parse(argv, { from: 'user' }).opts();
}

function configure({ configPath, log }: Setup, argv: readonly string[], env: Environment = {}): Promise<number> {
  const flags = ['--containerd-registry-config-path', configPath, ...argv];
  return configuration(readConfigurationOptions(given(configurationFlags, flags), env), { log });
}

const target = ['--mirror-targets', 'http://10.0.0.7:5000'];

test("configuration: what Spegel's chart gives is understood", async () => {
  using setup = setUp();
  const argv = [
    '--log-level=INFO',
    '--mirrored-registries',
    'https://docker.io',
    'https://ghcr.io',
    '--mirror-targets',
  ];
  const urls = ['http://10.0.0.7:30020', 'http://10.0.0.7:30021'];
  await configure(setup, [...argv, ...urls, '--resolve-tags=true', '--prepend-existing=false']);
  for (const registry of ['docker.io', 'ghcr.io']) {
    const text = readFileSync(join(setup.configPath, registry, 'hosts.toml'), 'utf8');
    assert.ok(urls.every((url) => text.includes(`[host.'${url}']`)));
  }
  const told = setup.lines.map(({ msg }) => msg);
  assert.deepEqual(told, ['mirrors configured', 'mirrors configured', 'mirrors configured']);
});

test('configuration: the environment says the same', () => {
  const env = {
    CONTAINERD_REGISTRY_CONFIG_PATH: '/certs.d',
    MIRRORED_REGISTRIES: 'docker.io,http://localhost:5000',
    MIRROR_TARGETS: 'http://fd00::7:30020,https://mirror.example',
    RESOLVE_TAGS: 'F',
    PREPEND_EXISTING: '1',
    PEILI_BASIC_AUTH_PATH: '/secret',
    LOG_LEVEL: 'debug',
  };
  assert.deepEqual(readConfigurationOptions({}, env), {
    configPath: '/certs.d',
    mirroredRegistries: ['docker.io', 'http://localhost:5000'],
    mirrorTargets: ['http://[fd00::7]:30020', 'https://mirror.example'],
    resolveTags: false,
    prependExisting: true,
    basicAuthPath: '/secret',
    logLevel: 'DEBUG',
  });
});

for (const [argv, says] of [
  [[], '--mirror-targets is missing: give the URL of a mirror, such as http://10.0.0.7:5000'],
  [['--mirror-targets', '10.0.0.7:5000'], '--mirror-targets "10.0.0.7:5000": give http://host:port'],
  [['--mirror-targets', 'http://a/v2'], 'without a path'],
  [['--mirror-targets', 'http://u:p@a'], 'without a path'],
  [['--mirror-targets', "http://a'b"], 'without a path'],
  [[...target, '--mirrored-registries', 'docker.io/library'], '--mirrored-registries'],
  [[...target, '--containerd-registry-config-path', '/a:/b'], 'give one absolute path'],
  [[...target, '--containerd-registry-config-path', 'certs.d'], 'give one absolute path'],
  [[...target, '--resolve-tags=perhaps'], '--resolve-tags "perhaps": give true or false'],
] as const) {
  test(`configuration: ${argv.join(' ') || 'nothing'} is refused in one sentence`, () => {
    assert.throws(
      () => readConfigurationOptions(given(configurationFlags, argv), {}),
      ({ message }: Error) => message.includes(says) && !message.includes('\n'),
    );
  });
}

test('configuration: the secret is in hosts.toml, and nowhere in the log', async () => {
  using setup = setUp();
  const secret = join(setup.root, 'secret');
  mkdirSync(secret);
  writeFileSync(join(secret, 'username'), 'peili');
  writeFileSync(join(secret, 'password'), 'hunter2\n');
  await configure(setup, [...target, '--basic-auth-path', secret, '--log-level', 'debug']);
  // To the byte, as Spegel takes it: a line end is part of it.
  const token = Buffer.from('peili:hunter2\n').toString('base64');
  const text = readFileSync(join(setup.configPath, '_default/hosts.toml'), 'utf8');
  assert.ok(text.includes(`Authorization = 'Basic ${token}'`));
  const logged = JSON.stringify(setup.lines);
  assert.ok(!logged.includes('hunter2') && !logged.includes(token));
});

test('configuration: a secret that cannot be is refused, and not shown', async () => {
  using setup = setUp();
  writeFileSync(join(setup.root, 'username'), 'pei:li');
  await assert.rejects(
    configure(setup, [...target, '--basic-auth-path', setup.root]),
    ({ message }: Error) =>
      /^--basic-auth-path ".*": the user name may have no colon/.test(message) && !message.includes('pei:li'),
  );
  assert.equal(existsSync(setup.configPath), false);
});

test('configuration: where it may not write, it says where', async () => {
  using setup = setUp();
  writeFileSync(setup.configPath, 'no directory');
  await assert.rejects(configure(setup, target), {
    code: 'HOSTS_UNWRITABLE',
    message: /certs\.d can be neither read nor made/,
  });
});

test('cleanup: without an address it cleans and ends', async () => {
  using setup = setUp();
  await configure(setup, target);
  const argv = ['--containerd-registry-config-path', setup.configPath];
  const options = readCleanupOptions(given(cleanupFlags, argv), {});
  assert.equal(await cleanup(options, { signal: new AbortController().signal, log: setup.log }), 0);
  assert.equal(existsSync(join(setup.configPath, '_default')), false);
});

test('cleanup: with an address it says so until it is stopped, and cleans again what came back', async () => {
  using setup = setUp();
  await configure(setup, target);
  const argv = ['--containerd-registry-config-path', setup.configPath, '--addr', '127.0.0.1:0'];
  const stop = new AbortController();
  const running = cleanup(readCleanupOptions(given(cleanupFlags, argv), {}), { signal: stop.signal, log: setup.log });
  const { port } = await setup.line('waiting to be stopped');
  const probe = async (): Promise<number> => (await fetch(`http://127.0.0.1:${String(port)}/readyz`)).status;
  assert.equal(await probe(), 200);
  await configure(setup, target);
  assert.equal(await probe(), 200);
  assert.equal(existsSync(join(setup.configPath, '_default')), false);
  // What cannot be cleaned is not said to be clean.
  await configure(setup, target);
  writeFileSync(join(setup.configPath, '_backup/peili.json'), '{"version":99}');
  assert.equal(await probe(), 500);
  stop.abort();
  assert.equal(await running, 0);
});

interface Probe {
  readonly port: number;
  asked(): number;
  close(): void;
}

/** A cleanup that answers what `statuses` say, the last for ever. */
async function cleaner(statuses: readonly number[]): Promise<Probe> {
  let asked = 0;
  const server = createServer((request, response) => {
    assert.equal(request.url, '/readyz');
    response.writeHead(statuses[Math.min(asked, statuses.length - 1)] ?? 500).end();
    asked += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    asked: () => asked,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function waitFor(setup: Setup, port: number, addresses: () => readonly string[], signal = AbortSignal.timeout(10_000)) {
  const argv = ['--probe-endpoint', `cleanup.example:${port}`, '--period', '5ms'];
  const options = readCleanupWaitOptions(given(cleanupWaitFlags, argv), {});
  const resolve = (host: string): Promise<readonly string[]> => {
    assert.equal(host, 'cleanup.example');
    return Promise.resolve(addresses());
  };
  return cleanupWait(options, { signal, log: setup.log, resolve });
}

test('cleanup-wait: three times in a row, and a no begins anew', async () => {
  using setup = setUp();
  const probe = await cleaner([200, 200, 503, 200, 200, 200, 200]);
  assert.equal(await waitFor(setup, probe.port, () => ['127.0.0.1']), 0);
  assert.equal(probe.asked(), 6);
  probe.close();
});

test('cleanup-wait: every address counts, those that nobody answers at and no address too', async () => {
  using setup = setUp();
  const probe = await cleaner([200]);
  let lookups = 0;
  const addresses = (): readonly string[] => {
    lookups += 1;
    return lookups === 1 ? [] : lookups <= 3 ? ['127.0.0.1', '127.0.0.2'] : ['127.0.0.1'];
  };
  assert.equal(await waitFor(setup, probe.port, addresses), 0);
  assert.equal(lookups, 6);
  const reasons = setup.lines.flatMap(({ reason }) => (typeof reason === 'string' ? [reason] : []));
  assert.match(reasons.join('\n'), /has no address\n127\.0\.0\.2:\d+: .*ECONNREFUSED/);
  probe.close();
});

test('cleanup-wait: one more that is done begins the count anew: there may be others', async () => {
  using setup = setUp();
  const probe = await cleaner([200]);
  let lookups = 0;
  const addresses = (): readonly string[] => {
    lookups += 1;
    return lookups <= 2 ? ['127.0.0.1'] : ['127.0.0.1', 'localhost'];
  };
  assert.equal(await waitFor(setup, probe.port, addresses), 0);
  assert.equal(lookups, 5);
  probe.close();
});

test('cleanup-wait: who stops it gets 1', async () => {
  using setup = setUp();
  const pages = await servePages({ host: '127.0.0.1', port: 0 }, {});
  const stop = new AbortController();
  const waiting = waitFor(setup, pages.port, () => ['127.0.0.1'], stop.signal);
  await setup.line('not every cleanup is done');
  stop.abort();
  assert.equal(await waiting, 1);
  await pages.close();
});

for (const [argv, says] of [
  [[], '--probe-endpoint is missing'],
  [['--probe-endpoint', ':8080'], 'give host:port'],
  [['--probe-endpoint', 'a:0'], 'give host:port'],
  [['--probe-endpoint', 'a:1', '--threshold', '0'], '--threshold "0"'],
  [['--probe-endpoint', 'a:1', '--period', '2'], '--period "2"'],
] as const) {
  test(`cleanup-wait: ${argv.join(' ') || 'nothing'} is refused`, () => {
    assert.throws(
      () => readCleanupWaitOptions(given(cleanupWaitFlags, argv), {}),
      ({ message }: Error) => message.includes(says),
    );
  });
}
