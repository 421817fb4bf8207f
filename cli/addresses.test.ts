import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatAddress,
  parseDomain,
  parseHttpUrl,
  parseListenAddress,
  parseRouterAddress,
  parseRouterPeer,
} from './addresses.ts';

for (const [text, host, port] of [
  [':5000', undefined, 5000],
  ['127.0.0.1:0', '127.0.0.1', 0],
  ['[::1]:5000', '::1', 5000],
  ['[fe80::1%eth0]:5000', 'fe80::1%eth0', 5000],
  ['node-1.example.org:65535', 'node-1.example.org', 65_535],
] as const) {
  test(`address: ${text}`, () => {
    assert.deepEqual(parseListenAddress(text), { host, port });
    assert.equal(formatAddress({ host, port }), text);
  });
}

for (const [text, mend] of [
  ['5000', /give host:port or :port/],
  ['', /give host:port or :port/],
  ['localhost', /give host:port or :port/],
  ['localhost:', /give host:port or :port/],
  ['http://localhost:5000', /without a scheme/],
  [':5000/v2', /without a scheme or a path/],
  ['::1', /in brackets and add a port, as in \[::1\]:5000/],
  ['fe80::1:5000', /put the IPv6 address in brackets/],
  ['[localhost]:5000', /only an IPv6 address/],
  ['[127.0.0.1]:5000', /only an IPv6 address/],
  [':65536', /port from 0 to 65535/],
  [':-1', /give host:port/],
  ['10.0.0.256:5000', /IP address or a host name/],
  ['bad_name:5000', /IP address or a host name/],
  ['a b:5000', /IP address or a host name/],
] as const) {
  test(`address: ${JSON.stringify(text)} is refused in words`, () =>
    assert.throws(() => parseListenAddress(text), mend));
}

test('router address: an IP address or none, since members are told it', () => {
  assert.deepEqual(parseRouterAddress('[::]:5001'), { host: '::', port: 5001 });
  assert.throws(() => parseRouterAddress('localhost:5001'), /give an IP address/);
});

test('domain, URL and multiaddr: what can never work is refused', () => {
  assert.equal(parseDomain('peili.svc.cluster.local.'), 'peili.svc.cluster.local.');
  for (const text of ['', 'a..b', '-a', 'http://a', 'a'.repeat(64)])
    assert.throws(() => parseDomain(text), /domain name/);
  assert.equal(parseHttpUrl('https://[::1]:5002/id'), 'https://[::1]:5002/id');
  for (const text of ['', 'node:5002', 'ftp://a/id', '/id']) assert.throws(() => parseHttpUrl(text), /give a URL/);
  for (const text of ['/ip4/10.0.0.7/tcp/5001', '/ip6/fd00::7/tcp/5001/p2p/12D3KooWabc']) {
    assert.equal(parseRouterPeer(text), text);
  }
  for (const text of [
    '',
    '10.0.0.7:5001',
    '/ip4/fd00::7/tcp/5001',
    '/ip4/10.0.0.7/udp/5001',
    '/ip4/10.0.0.7/tcp/70000',
  ]) {
    assert.throws(() => parseRouterPeer(text), /give a multiaddr/);
  }
});
