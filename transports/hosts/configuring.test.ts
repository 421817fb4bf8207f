import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readlinkSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'smol-toml';
import { setUpHosts, target } from './testing/hosts-setup.ts';

interface HostsToml {
  readonly server?: string;
  readonly ca?: string[];
  readonly client?: unknown;
  readonly host?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

function toml(text: string): HostsToml {
  // Without the prototypes that tables of TOML have.
  return JSON.parse(JSON.stringify(parse(text))) as HostsToml;
}

/** In the order in which containerd asks. */
function hostsOf(text: string): string[] {
  return Object.keys(toml(text).host ?? {});
}

const existing =
  '# mine\nserver = "https://harbor.example"\nca = "ca.crt"\n\n[host."https://cache.example"]\n  skip_verify = true\n';

test('configuration: every registry is mirrored by _default, which has no server line', async () => {
  using hosts = setUpHosts();
  await hosts.configure();
  const wanted = { host: { [target]: { capabilities: ['pull', 'resolve'], dial_timeout: '200ms' } } };
  assert.deepEqual(toml(hosts.read('_default/hosts.toml')), wanted);
});

test('configuration: each registry has its directory and its server line, targets in their order', async () => {
  using hosts = setUpHosts();
  const mirroredRegistries = ['https://docker.io', 'ghcr.io', 'http://reg.example:5000', 'localhost:5001'];
  await hosts.configure({ mirroredRegistries, mirrorTargets: [target, 'http://[fd00::7]:5000'] });
  const servers = ['docker.io', 'ghcr.io', 'reg.example:5000', 'localhost:5001'].map((name) => {
    const text = hosts.read(`${name}/hosts.toml`);
    assert.deepEqual(hostsOf(text), [target, 'http://[fd00::7]:5000']);
    return toml(text).server;
  });
  // containerd knows what to make of this machine's own.
  assert.deepEqual(servers, ['https://registry-1.docker.io', 'https://ghcr.io', 'http://reg.example:5000', undefined]);
  assert.equal(hosts.exists('_default'), false);
});

test('configuration: tags that shall not be resolved are not asked for, but those of the canary', async () => {
  using hosts = setUpHosts();
  await hosts.configure({ resolveTags: false });
  assert.deepEqual(toml(hosts.read('_default/hosts.toml')).host?.[target]?.['capabilities'], ['pull']);
  const canary = toml(hosts.read('canary.peili.internal/hosts.toml'));
  assert.deepEqual(canary.host?.[target]?.['capabilities'], ['pull', 'resolve']);
  assert.equal(canary.server, 'http://127.0.0.1:1', 'without a mirror it fails at once');
});

test('configuration: credentials stand in a header of every mirror, and nobody else may read them', async () => {
  using hosts = setUpHosts();
  await hosts.configure({ authorization: 'Basic dXNlcjpwYXNz', mirrorTargets: [target, 'http://10.0.0.8:5000'] });
  for (const host of Object.values(toml(hosts.read('_default/hosts.toml')).host ?? {})) {
    assert.deepEqual(host['header'], { Authorization: 'Basic dXNlcjpwYXNz' });
  }
  assert.equal(statSync(join(hosts.root, '_default/hosts.toml')).mode & 0o777, 0o600);
  for (const [path, text] of Object.entries(hosts.files())) {
    assert.ok(path.endsWith('hosts.toml') || !text.includes('dXNlcjpwYXNz'), `${path} has the secret`);
  }
  await hosts.configure();
  assert.equal(statSync(join(hosts.root, '_default/hosts.toml')).mode & 0o777, 0o644);
});

test('configuration: a second run writes nothing', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', existing);
  for (const prependExisting of [true, false]) {
    assert.notEqual((await hosts.configure({ prependExisting })).written.length, 0);
    const before = hosts.files();
    assert.deepEqual((await hosts.configure({ prependExisting })).written, []);
    assert.deepEqual(hosts.files(), before);
  }
});

test('configuration: what was there is put aside, to the byte', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', existing);
  hosts.write('docker.io/ca.crt', 'certificate');
  await hosts.configure();
  assert.equal(hosts.read('_backup/docker.io/hosts.toml'), existing);
  assert.deepEqual(hostsOf(hosts.read('docker.io/hosts.toml')), [target]);
  assert.equal(toml(hosts.read('docker.io/hosts.toml')).ca, undefined);
  assert.equal(hosts.read('docker.io/ca.crt'), 'certificate');
});

test('prepend: mirrors first, then the hosts that were there; root keys, comments and files beside it are kept', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', existing);
  hosts.write('docker.io/ca.crt', 'certificate');
  await hosts.configure({ prependExisting: true, mirroredRegistries: ['docker.io'] });
  const text = hosts.read('docker.io/hosts.toml');
  assert.deepEqual(hostsOf(text), [target, 'https://cache.example']);
  const { host, ...keys } = toml(text);
  assert.deepEqual(keys, { server: 'https://harbor.example', ca: 'ca.crt' });
  assert.deepEqual(host?.['https://cache.example'], { skip_verify: true });
  const [head, tail] = [existing.slice(0, existing.indexOf('[')), existing.slice(existing.indexOf('['))];
  assert.ok(text.startsWith(head) && text.endsWith(tail), 'the old text stands there as it was');
  assert.equal(hosts.read('docker.io/ca.crt'), 'certificate');
});

for (const [name, text, keys] of [
  [
    'an array over several lines',
    'client = [\n[ "a.cert", "a.key" ],\n]\n[host."https://a"]\n',
    { client: [['a.cert', 'a.key']] },
  ],
  [
    'a text over several lines',
    'note = """\n[host.x]\n"""\nserver = "https://s"\n',
    { note: '[host.x]\n', server: 'https://s' },
  ],
  ['no table and no line end', 'server = "https://s"', { server: 'https://s' }],
  ['a comment alone', '# nothing', {}],
  ['a header of the registry itself', '[header]\nx = "y"\n', { header: { x: 'y' } }],
  ['line ends of two bytes', 'ca = "c"\r\n[host."https://a"]\r\n', { ca: 'c' }],
  ['text beyond ASCII', '# öäü\nca = "ä.crt"\n[host."https://a"]\n', { ca: 'ä.crt' }],
] as const) {
  test(`prepend: ${name} keeps its meaning, and its bytes`, async () => {
    using hosts = setUpHosts();
    hosts.write('docker.io/hosts.toml', text);
    await hosts.configure({ prependExisting: true });
    const { host = {}, ...rest } = toml(hosts.read('docker.io/hosts.toml'));
    assert.deepEqual(Object.keys(host)[0], target);
    assert.deepEqual(rest, keys);
    await hosts.clean();
    assert.equal(hosts.read('docker.io/hosts.toml'), text);
  });
}

test('prepend: a mirror that is among the existing hosts comes first all the same', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', `[host."https://a"]\n[host."${target}"]\n`);
  await hosts.configure({ prependExisting: true });
  // To containerd both are the same host: /v2 is what it adds itself.
  assert.deepEqual(hostsOf(hosts.read('docker.io/hosts.toml')), [`${target}/v2`, 'https://a', target]);
});

test('prepend: where every registry is mirrored, mirrors go before the hosts of each', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', existing);
  hosts.write('ghcr.io/hosts.toml', '[host."https://b"]\n');
  await hosts.configure({ prependExisting: true });
  assert.deepEqual(hostsOf(hosts.read('docker.io/hosts.toml')), [target, 'https://cache.example']);
  assert.deepEqual(hostsOf(hosts.read('ghcr.io/hosts.toml')), [target, 'https://b']);
});

test('prepend: a file that is no TOML is named, and nothing is changed', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', 'server = "https://s"\n[host.\n');
  hosts.write('ghcr.io/hosts.toml', existing);
  const before = hosts.files();
  await assert.rejects(hosts.configure({ prependExisting: true }), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'HOSTS_INVALID');
    assert.match(error.message, /docker\.io\/hosts\.toml: it is not TOML/);
    return true;
  });
  assert.deepEqual(hosts.files(), before);
  await hosts.configure({ prependExisting: false });
  await hosts.clean();
  assert.deepEqual(hosts.files(), before);
});

test('configuration: certificates without a hosts.toml stay in force', async () => {
  using hosts = setUpHosts();
  for (const name of ['ca.crt', 'me.cert', 'me.key', 'both.cert', 'note.txt']) hosts.write(`docker.io/${name}`, name);
  await hosts.configure();
  const { ca, client } = toml(hosts.read('docker.io/hosts.toml'));
  assert.deepEqual(ca, ['ca.crt']);
  assert.deepEqual(client, ['both.cert', ['me.cert', 'me.key']]);
});

test('configuration: the directory that containerd reads for a port is the one that is written', async () => {
  using hosts = setUpHosts();
  hosts.write('reg.example_5000_/hosts.toml', existing);
  await hosts.configure({ mirroredRegistries: ['reg.example:5000'], prependExisting: true });
  assert.deepEqual(hostsOf(hosts.read('reg.example_5000_/hosts.toml')), [target, 'https://cache.example']);
  assert.equal(hosts.exists('reg.example:5000'), false);
});

test('configuration: when containerd would read another directory since, that one is written', async () => {
  using hosts = setUpHosts();
  await hosts.configure({ mirroredRegistries: ['reg.example:5000'], prependExisting: true });
  hosts.write('reg.example_5000_/hosts.toml', existing);
  await hosts.configure({ mirroredRegistries: ['reg.example:5000'], prependExisting: true });
  assert.deepEqual(hostsOf(hosts.read('reg.example_5000_/hosts.toml')), [target, 'https://cache.example']);
  assert.equal(hosts.exists('reg.example:5000'), false);
});

test('configuration: where nothing is prepended, every registry means those that had hosts of their own, too', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', existing);
  await hosts.configure();
  assert.deepEqual(hostsOf(hosts.read('docker.io/hosts.toml')), [target]);
});

test('configuration: a registry that is not named keeps what it has', async () => {
  using hosts = setUpHosts();
  hosts.write('ghcr.io/hosts.toml', existing);
  await hosts.configure({ mirroredRegistries: ['docker.io'] });
  assert.equal(hosts.read('ghcr.io/hosts.toml'), existing);
});

test('configuration: a registry that is named no longer has what it had', async () => {
  using hosts = setUpHosts();
  hosts.write('ghcr.io/hosts.toml', existing);
  await hosts.configure({ mirroredRegistries: ['docker.io', 'ghcr.io', 'quay.io'] });
  const { restored } = await hosts.configure({ mirroredRegistries: ['docker.io'] });
  assert.deepEqual(restored, ['ghcr.io', 'quay.io']);
  assert.equal(hosts.read('ghcr.io/hosts.toml'), existing);
  assert.equal(hosts.exists('quay.io'), false);
});

test('later: a registry that others add stays in force, and it is said that no mirror is asked for it', async () => {
  using hosts = setUpHosts();
  await hosts.configure();
  hosts.write('quay.io/hosts.toml', existing);
  assert.deepEqual((await hosts.configure()).bypassing, ['quay.io']);
  assert.equal(hosts.read('quay.io/hosts.toml'), existing);
  assert.deepEqual((await hosts.configure({ prependExisting: true })).bypassing, []);
  assert.deepEqual(hostsOf(hosts.read('quay.io/hosts.toml')), [target, 'https://cache.example']);
});

test('later: a file of ours that others wrote over is put aside, or goes behind the mirrors', async () => {
  for (const prependExisting of [false, true]) {
    using hosts = setUpHosts();
    hosts.write('docker.io/hosts.toml', existing);
    await hosts.configure({ prependExisting });
    hosts.write('docker.io/hosts.toml', '[host."https://k3s.example"]\n');
    await hosts.configure({ prependExisting });
    const now = hostsOf(hosts.read('docker.io/hosts.toml'));
    assert.deepEqual(now, prependExisting ? [target, 'https://k3s.example'] : [target]);
    await hosts.clean();
    assert.equal(hosts.read('docker.io/hosts.toml'), '[host."https://k3s.example"]\n');
  }
});

test('later: a file of ours that others removed comes back, and with it what was there before', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', existing);
  await hosts.configure({ prependExisting: true });
  hosts.remove('docker.io');
  await hosts.configure({ prependExisting: true });
  assert.deepEqual(hostsOf(hosts.read('docker.io/hosts.toml')), [target, 'https://cache.example']);
  hosts.remove('docker.io');
  await hosts.clean();
  assert.equal(hosts.read('docker.io/hosts.toml'), existing);
});

test('later: what is changed between our lines is changed back', async () => {
  using hosts = setUpHosts();
  await hosts.configure();
  const text = hosts.read('_default/hosts.toml');
  hosts.write('_default/hosts.toml', text.replaceAll('10.0.0.7', '10.0.0.9'));
  await hosts.configure();
  assert.equal(hosts.read('_default/hosts.toml'), text);
});

test('cleanup: the file that comes back is the one that was there, with its mode and its times', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', existing);
  const path = join(hosts.root, 'docker.io/hosts.toml');
  chmodSync(path, 0o640);
  utimesSync(path, 1_600_000_000, 1_600_000_000);
  const before = statSync(path);
  await hosts.configure({ prependExisting: true });
  await hosts.clean();
  const { ino, mode, mtimeMs } = statSync(path);
  assert.deepEqual({ ino, mode, mtimeMs }, { ino: before.ino, mode: before.mode, mtimeMs: before.mtimeMs });
});

test('cleanup: a second one does nothing; where nothing was configured, nothing is touched', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', existing);
  hosts.write('_backup/docker.io/hosts.toml', 'of somebody else');
  const before = hosts.files();
  await hosts.clean();
  assert.deepEqual(hosts.files(), before);
  hosts.remove('_backup');
  await hosts.configure();
  await hosts.clean();
  await hosts.clean();
  assert.deepEqual(hosts.files(), { 'docker.io/hosts.toml': existing });
});

test('cleanup: a state that cannot be read is no reason to leave anything', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', existing);
  await hosts.configure();
  hosts.write('_backup/peili.json', '{');
  await hosts.clean();
  assert.deepEqual(hosts.files(), { 'docker.io/hosts.toml': existing });
});

test('cleanup: a state of a later version is left to it', async () => {
  using hosts = setUpHosts();
  await hosts.configure();
  hosts.write('_backup/peili.json', '{"version":2}');
  const before = hosts.files();
  await assert.rejects(hosts.clean(), { code: 'HOSTS_INVALID' });
  await assert.rejects(hosts.configure(), { code: 'HOSTS_INVALID' });
  assert.deepEqual(hosts.files(), before);
});

test('links: a hosts.toml that is one is read, replaced and restored as one', async () => {
  using hosts = setUpHosts();
  hosts.write('shared/docker.toml', existing);
  mkdirSync(join(hosts.root, 'docker.io'));
  symlinkSync('../shared/docker.toml', join(hosts.root, 'docker.io/hosts.toml'));
  await hosts.configure({ prependExisting: true, mirroredRegistries: ['docker.io'] });
  assert.deepEqual(hostsOf(hosts.read('docker.io/hosts.toml')), [target, 'https://cache.example']);
  assert.equal(hosts.read('shared/docker.toml'), existing, 'what it points to is not written to');
  assert.deepEqual((await hosts.configure({ prependExisting: true, mirroredRegistries: ['docker.io'] })).written, []);
  await hosts.clean();
  assert.equal(readlinkSync(join(hosts.root, 'docker.io/hosts.toml')), '../shared/docker.toml');
});

test('links: a hosts.toml that points to what cannot be seen is not prepended to, and comes back', async () => {
  using hosts = setUpHosts();
  mkdirSync(join(hosts.root, 'docker.io'));
  symlinkSync('/nowhere/docker.toml', join(hosts.root, 'docker.io/hosts.toml'));
  const before = hosts.files();
  const wanted = /docker\.io\/hosts\.toml is a link to \/nowhere\/docker\.toml/;
  await assert.rejects(hosts.configure({ prependExisting: true }), wanted);
  assert.deepEqual(hosts.files(), before);
  await hosts.configure();
  await assert.rejects(hosts.configure({ prependExisting: true }), wanted);
  await hosts.clean();
  assert.deepEqual(hosts.files(), before);
});

test('links: nothing is put aside behind one', async () => {
  for (const link of ['_backup', '_backup/docker.io']) {
    using hosts = setUpHosts();
    using elsewhere = setUpHosts();
    hosts.write('docker.io/hosts.toml', existing);
    if (link !== '_backup') mkdirSync(join(hosts.root, '_backup'));
    symlinkSync(elsewhere.root, join(hosts.root, link));
    const before = hosts.files();
    await assert.rejects(hosts.configure(), /is a link, behind which nothing is changed/);
    assert.deepEqual([hosts.files(), elsewhere.files()], [before, {}]);
  }
});

test('configuration: a registry with the name of what is put aside is refused', async () => {
  using hosts = setUpHosts();
  await assert.rejects(hosts.configure({ mirroredRegistries: ['_backup'] }), { code: 'OPTION_INVALID' });
  assert.deepEqual(hosts.files(), {});
});

test('links: a directory that is one is refused where it is named, and left alone where it is not', async () => {
  using hosts = setUpHosts();
  using elsewhere = setUpHosts();
  elsewhere.write('hosts.toml', existing);
  symlinkSync(elsewhere.root, join(hosts.root, 'docker.io'));
  const before = hosts.files();
  await assert.rejects(hosts.configure({ mirroredRegistries: ['docker.io'] }), /docker\.io is a link/);
  assert.deepEqual(hosts.files(), before);
  assert.deepEqual((await hosts.configure()).bypassing, ['docker.io']);
  await hosts.clean();
  assert.deepEqual([hosts.files(), elsewhere.files()], [before, { 'hosts.toml': existing }]);
});

test('Spegel: a node that it configured, and nobody cleaned up, is taken over with what it had put aside', async () => {
  const spegels = (server: string, after = ''): string =>
    `${server}\n[host.'http://10.0.0.7:30020']\ncapabilities = ['pull', 'resolve']\ndial_timeout = '200ms'${after}`.trim();
  using hosts = setUpHosts();
  hosts.write('_backup/docker.io/hosts.toml', existing);
  hosts.write('_backup/docker.io/ca.crt', 'certificate');
  hosts.write('docker.io/hosts.toml', spegels("server = 'https://registry-1.docker.io'\n"));
  hosts.write(
    '_default/hosts.toml',
    spegels('', "\n[host.'http://10.0.0.7:30020'.header]\nAuthorization = 'Basic eA=='"),
  );
  hosts.write('ghcr.io/hosts.toml', '# written since\n');
  await hosts.configure({ prependExisting: true });
  assert.deepEqual(hostsOf(hosts.read('docker.io/hosts.toml')), [target, 'https://cache.example']);
  assert.deepEqual(hostsOf(hosts.read('_default/hosts.toml')), [target]);
  await hosts.clean();
  assert.deepEqual(hosts.files(), {
    'docker.io/ca.crt': 'certificate',
    'docker.io/hosts.toml': existing,
    'ghcr.io/hosts.toml': '# written since\n',
  });
});

test('killed: after a kill at any change, the next run ends where it would have', async () => {
  const begin = (): ReturnType<typeof setUpHosts> => {
    const hosts = setUpHosts();
    hosts.write('docker.io/hosts.toml', existing);
    hosts.write('ghcr.io/ca.crt', 'certificate');
    return hosts;
  };
  using whole = begin();
  await whole.configure({ prependExisting: true });
  const wanted = whole.files();
  for (let killAt = 1; ; killAt += 1) {
    using hosts = begin();
    const killed = await hosts.configure({ prependExisting: true }, killAt).then(
      () => false,
      () => true,
    );
    await hosts.configure({ prependExisting: true });
    const left = Object.entries(hosts.files()).filter(([path]) => !path.includes('.peili-'));
    assert.deepEqual(Object.fromEntries(left), wanted, `killed at change ${killAt}`);
    await hosts.clean();
    assert.deepEqual(hosts.files(), { 'docker.io/hosts.toml': existing, 'ghcr.io/ca.crt': 'certificate' });
    if (!killed) break;
  }
});

test('killed: whoever reads sees the old file or the new one, whole', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', existing);
  const seen = new Set<string>();
  for (let killAt = 1; killAt < 40; killAt += 1) {
    await hosts.configure({ mirroredRegistries: ['docker.io'] }, killAt).catch(() => undefined);
    seen.add(hosts.read('docker.io/hosts.toml'));
  }
  assert.deepEqual([...seen].map(hostsOf), [['https://cache.example'], [target]]);
});
