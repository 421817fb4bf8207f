import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { createImage, writeOciLayout } from '../testbed/index.ts';
import { ociArchitecture } from '../transports/index.ts';
import { parseRegistryOptions } from './registry-options.ts';
import { registry } from './registry.ts';
import type { Check } from './verify/check.ts';
import { verify } from './verify.ts';
import { readVerifyOptions } from './verify-flags.ts';

const directory = await mkdtemp(join(tmpdir(), 'verify-'));
after(() => rm(directory, { recursive: true }));
const layout = join(directory, 'layout');
const own = ociArchitecture(process.arch);
/** This machine's is not the first one. */
const platforms = [own === 's390x' ? 'linux/amd64' : 'linux/s390x', `linux/${own}`];
const layers = [{ sizeBytes: 30_000 }, { sizeBytes: 2000 }];
const image = await createImage({ name: 'docker.io/library/demo:1.0', layers });
const wide = await createImage({ name: 'docker.io/library/wide:1.0', layers, platforms });
const foreign = await createImage({ name: 'docker.io/library/foreign:1.0', layers, platforms: [platforms[0]!] });
await writeOciLayout([image, wide, foreign], layout);
const index = wide.blobs.get(wide.root.digest);
assert.ok(index);
const { manifests } = JSON.parse(Buffer.concat(await Array.fromAsync(index.open(0, index.sizeBytes))).toString());
const ownManifest = manifests[1].digest;

/** A mirror that serves a directory; what verify says of it, on a machine without containerd. */
async function mirror(context: TestContext, ...flags: readonly string[]) {
  const stop = new AbortController();
  const running = Promise.withResolvers<{ registry: readonly string[]; metricsPort: number }>();
  const log = {
    write: (text: string) => {
      const line = JSON.parse(text);
      if (line.msg === 'running') running.resolve(line);
    },
  };
  const addresses = ['registry', 'router', 'metrics'].map((name) => `--${name}-addr=127.0.0.1:0`);
  const options = parseRegistryOptions([`--store=oci-layout:${layout}`, ...addresses, ...flags], {});
  const done = registry(options, { signal: stop.signal, log, version: '1.2.3' });
  context.after(() => {
    stop.abort();
    return done;
  });
  const {
    metricsPort,
    registry: [registryAddr],
  } = await running.promise;
  return async (given: Readonly<Record<string, string>> = {}) => {
    const said: string[] = [];
    const told = {
      containerdSock: join(directory, 'none.sock'),
      containerdRegistryConfigPath: join(directory, 'certs.d'),
      containerdConfigPath: join(directory, 'none.toml'),
      registryAddr,
      metricsAddr: `127.0.0.1:${metricsPort}`,
      membersMin: '0',
      json: true,
      ...given,
    };
    const io = {
      signal: new AbortController().signal,
      width: 100,
      colours: false,
      writeOut: (text: string) => said.push(text),
    };
    const code = await verify(readVerifyOptions(told, {}), io);
    const { checks } = JSON.parse(said.join(''));
    return { code, check: (name: string): Check => checks.find((check: Check) => check.name === name) };
  };
}

const timeout = 20_000;

test(
  'verify: a mirror without containerd is told apart: the mirror answers, containerd does not',
  { timeout },
  async (context) => {
    const look = await mirror(context);
    const { check, code } = await look();
    assert.equal(code, 1);
    assert.deepEqual(
      ['containerd', 'config-path', 'layers', 'content', 'hosts', 'mirror', 'ready', 'members', 'canary', 'image'].map(
        (name) => check(name).status,
      ),
      ['wrong', 'unknown', 'unknown', 'skipped', 'wrong', 'ok', 'ok', 'ok', 'skipped', 'skipped'],
    );
    assert.match(check('containerd').seen, /none\.sock \(connect ENOENT /);
  },
);

test(
  'verify: an image is pulled whole, an index by the manifest of this machine, each object from whom it came',
  { timeout },
  async (context) => {
    const look = await mirror(context);
    const kinds = async (reference: string): Promise<readonly string[]> => {
      const check = (await look({ image: reference })).check('image');
      assert.equal(check.status, 'ok', JSON.stringify(check));
      for (const line of check.lines ?? []) assert.match(line, /from this node$/);
      return (check.lines ?? []).map((line) => line.replace(/ .*/, ''));
    };
    assert.deepEqual(await kinds('demo:1.0'), ['manifest', 'config', 'layer', 'layer']);
    assert.deepEqual(await kinds('wide:1.0'), ['index', 'manifest', 'config', 'layer', 'layer']);
    const { objects } = (await look({ image: 'wide:1.0' })).check('image');
    assert.equal(objects?.[1]?.digest, ownManifest, 'that of this platform');
    assert.deepEqual(await kinds(`demo@${image.root.digest}`), ['manifest', 'config', 'layer', 'layer']);
    const silent = await mirror(context, '--debug-web-enabled=false');
    const { lines = [] } = (await silent({ image: 'demo:1.0' })).check('image');
    assert.match(lines[0] ?? '', /from a source that the mirror does not name$/);
  },
);

test(
  'verify: an image that is not there, or that a filter keeps out, is wrong, with the reason of the mirror',
  { timeout },
  async (context) => {
    const look = await mirror(context, '--registry-filters', ':1.0$');
    const seen = async (reference: string): Promise<string> => (await look({ image: reference })).check('image').seen;
    assert.match(await seen('absent:2.0'), /MANIFEST_UNKNOWN$/);
    assert.match(await seen(`foreign@${foreign.root.digest}`), /it has nothing for linux\/\w+$/);
    assert.match(await seen('demo:1.0'), /FILTERED$/);
  },
);

test(
  'verify: hosts.toml files are read as containerd reads them; what is not for mirrors is passed over',
  { timeout },
  async (context) => {
    const look = await mirror(context);
    const certs = join(directory, 'hosts');
    const write = async (registryName: string, text: string, name = 'hosts.toml'): Promise<void> => {
      await mkdir(join(certs, registryName), { recursive: true });
      await writeFile(join(certs, registryName, name), text);
    };
    await write('_default', "[host.'http://m.example:5000']\n");
    await write('canary.peili.internal', "server = 'http://127.0.0.1:1'\n[host.'http://m.example:5000']\n");
    await write('_backup', 'no TOML [', 'hosts.toml');
    await write('quay.io', 'a certificate', 'ca.crt');
    const hosts = async (): Promise<Check> => (await look({ containerdRegistryConfigPath: certs })).check('hosts');
    assert.match((await hosts()).seen, /names http:\/\/m\.example:5000 first, for _default; whether/);
    await write('docker.io', "[host.'http://m.example:5000']\n[host.'http://m.example:5000']\n");
    const broken = await hosts();
    assert.equal(broken.status, 'wrong');
    assert.match(broken.lines?.[0] ?? '', /^docker\.io\/hosts\.toml: line 2: /);
  },
);

test(
  'verify: a mirror that asks for a password gets it, and says so when it is the wrong one',
  { timeout },
  async (context) => {
    const secret = async (name: string, password: string): Promise<string> => {
      const path = join(directory, name);
      await mkdir(path, { recursive: true });
      await writeFile(join(path, 'username'), 'mirror');
      await writeFile(join(path, 'password'), password);
      return path;
    };
    const right = await secret('right', 'one');
    const look = await mirror(context, '--basic-auth-path', right);
    assert.equal((await look({ basicAuthPath: right, image: 'demo:1.0' })).check('image').status, 'ok');
    const refused = (await look({ basicAuthPath: await secret('wrong', 'two') })).check('mirror');
    assert.deepEqual([refused.status, /--basic-auth-path/.test(refused.mend ?? '')], ['wrong', true]);
  },
);

test('verify: stopped before its end it says nothing', { timeout }, async () => {
  const said: string[] = [];
  const io = { signal: AbortSignal.abort(), width: 100, colours: false, writeOut: (text: string) => said.push(text) };
  const options = readVerifyOptions({ containerdSock: join(directory, 'none.sock') }, {});
  assert.deepEqual([await verify(options, io), said], [130, []]);
});
