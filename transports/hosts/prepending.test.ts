import assert from 'node:assert/strict';
import { test } from 'node:test';
import { existing, hostsOf, toml } from './testing/hosts-toml.ts';
import { setUpHosts, target } from './testing/hosts-setup.ts';

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
