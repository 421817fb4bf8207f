import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readlinkSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { existing, hostsOf } from './testing/hosts-toml.ts';
import { setUpHosts, target } from './testing/hosts-setup.ts';

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

test('Spegel: its mirrors in front of hosts that were there before are its own; with a host that came since they are not', async () => {
  // As v0.4.0, v0.6.0 and v0.7.4 write with --prepend-existing over `before`.
  const mirrors = `server = 'https://registry-1.docker.io'

[host.'http://127.0.0.1:5000']
capabilities = ['pull', 'resolve']
dial_timeout = '200ms'

[host.'http://10.0.0.1:5000']
capabilities = ['pull', 'resolve']
dial_timeout = '200ms'
`;
  const before = `# mine
server = "https://registry-1.docker.io"
ca = "/etc/ca.pem"

[host."https://cache.corp:5000"]
  capabilities = ["pull"]
  skip_verify = true
  [host."https://cache.corp:5000".header]
    x-a = ["b"]
[host."https://second.corp"]
`;
  const merged = `${mirrors}
[host.'https://cache.corp:5000']
capabilities = ['pull']
skip_verify = true

[host.'https://cache.corp:5000'.header]
x-a = ['b']

[host.'https://second.corp']`;
  using hosts = setUpHosts();
  hosts.write('_backup/docker.io/hosts.toml', before);
  hosts.write('docker.io/hosts.toml', merged);
  await hosts.configure({ mirroredRegistries: ['docker.io'], prependExisting: true });
  assert.deepEqual(hostsOf(hosts.read('docker.io/hosts.toml')), [
    target,
    'https://cache.corp:5000',
    'https://second.corp',
  ]);
  await hosts.clean();
  assert.deepEqual(hosts.files(), { 'docker.io/hosts.toml': before });

  using others = setUpHosts();
  const since = `${merged}\n\n[host.'https://third.corp']\n`;
  others.write('_backup/docker.io/hosts.toml', before);
  others.write('docker.io/hosts.toml', since);
  await others.configure({ mirroredRegistries: ['docker.io'], prependExisting: true });
  await others.clean();
  assert.equal(others.read('docker.io/hosts.toml'), since);
});

test('Spegel: a node that goes to it, and back, and is cleaned up by either has what was there before', async () => {
  const mirrors = "[host.'http://127.0.0.1:5000']\ncapabilities = ['pull', 'resolve']\ndial_timeout = '200ms'\n";
  for (const prependExisting of [false, true]) {
    for (const isConfiguredAgain of [false, true]) {
      using hosts = setUpHosts();
      hosts.write('docker.io/hosts.toml', existing);
      await hosts.configure({ mirroredRegistries: ['docker.io'], prependExisting });
      // Spegel clears all but `_backup`, which it takes for its own.
      for (const name of Object.keys(hosts.files())) if (!name.startsWith('_backup/')) hosts.remove(name);
      hosts.write('docker.io/hosts.toml', `${mirrors}${prependExisting ? "\n[host.'https://cache.example']" : ''}`);
      if (isConfiguredAgain) {
        await hosts.configure({ mirroredRegistries: ['docker.io'], prependExisting });
        assert.equal(hosts.read('docker.io/hosts.toml').includes("host.'http://127.0.0.1:5000']"), false);
      }
      await hosts.clean();
      assert.deepEqual(hosts.files(), { 'docker.io/hosts.toml': existing });
    }
  }
});

test('Spegel: a file in its form that an administrator writes beside ours is his', async () => {
  const his = "[host.'http://cache.example']\ncapabilities = ['pull', 'resolve']\ndial_timeout = '200ms'\n";
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', existing);
  await hosts.configure();
  hosts.write('docker.io/hosts.toml', his);
  hosts.write('quay.io/hosts.toml', his);
  await hosts.configure();
  assert.equal(hosts.read('quay.io/hosts.toml'), his);
  await hosts.clean();
  assert.deepEqual(hosts.files(), { 'docker.io/hosts.toml': his, 'quay.io/hosts.toml': his });
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
