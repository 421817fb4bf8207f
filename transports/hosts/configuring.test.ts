import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { existing, hostsOf, toml } from './testing/hosts-toml.ts';
import { setUpHosts, target } from './testing/hosts-setup.ts';

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

for (const prependExisting of [true, false]) {
  test(`configuration: what only its owner could read is for nobody else, ${prependExisting ? 'behind ours' : 'aside'}, added to and restored`, async () => {
    using hosts = setUpHosts();
    const path = join(hosts.root, 'docker.io/hosts.toml');
    const secret = (host: string): string =>
      `[host."https://${host}"]\nheader = { Authorization = 'Basic c2VjcmV0' }\n`;
    const assertUnread = (): void => {
      for (const [name, text] of Object.entries(hosts.files())) {
        if (text.includes('c2VjcmV0')) assert.equal(statSync(join(hosts.root, name)).mode & 0o077, 0, name);
      }
    };
    const configure = () => hosts.configure({ mirroredRegistries: ['docker.io'], prependExisting });
    hosts.write('docker.io/hosts.toml', secret('a.example'));
    chmodSync(path, 0o600);
    await configure();
    assertUnread();
    hosts.remove('docker.io/hosts.toml');
    await configure();
    assertUnread();
    chmodSync(path, 0o600);
    appendFileSync(path, secret('b.example'));
    await configure();
    assertUnread();
    appendFileSync(path, secret('c.example'));
    await hosts.clean();
    assertUnread();
    assert.equal(hosts.read('docker.io/hosts.toml'), ['a.example', 'b.example', 'c.example'].map(secret).join(''));
  });
}

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

test('configuration: all registries after one by name: what was made for that one is gone, and nothing is said to bypass mirrors', async () => {
  using hosts = setUpHosts();
  await hosts.configure({ mirroredRegistries: ['docker.io'] });
  const { bypassing, restored } = await hosts.configure();
  assert.deepEqual([bypassing, restored], [[], ['docker.io']]);
  assert.equal(hosts.exists('docker.io'), false);
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

test('configuration: a registry with the name of what is put aside is refused', async () => {
  using hosts = setUpHosts();
  await assert.rejects(hosts.configure({ mirroredRegistries: ['_backup'] }), { code: 'OPTION_INVALID' });
  assert.deepEqual(hosts.files(), {});
});
