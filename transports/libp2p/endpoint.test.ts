import assert from 'node:assert/strict';
import { test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import { errorCodeOf } from '../../core/index.ts';
import { announcedEndpoint, endpointOf, endpointText, multiaddrOf, parseEndpoint } from './endpoint.ts';

test('router address: host:port, [ipv6]:port and :port; anything else is ADDRESS_INVALID', () => {
  assert.deepEqual(parseEndpoint('10.0.0.7:5001'), { host: '10.0.0.7', port: 5001 });
  assert.deepEqual(parseEndpoint('[::1]:0'), { host: '::1', port: 0 });
  assert.deepEqual(parseEndpoint(':5001'), { host: '', port: 5001 });
  for (const text of [
    '',
    '5001',
    'host:5001',
    '::1:5001',
    '10.0.0.7',
    '10.0.0.7:65536',
    '10.0.0:1',
    '[10.0.0.7:1',
    ':',
  ]) {
    assert.throws(
      () => parseEndpoint(text),
      (thrown) => errorCodeOf(thrown) === 'ADDRESS_INVALID',
      text,
    );
  }
});

test('router address: through a multiaddr and back, on both transports', () => {
  for (const text of ['10.0.0.7:5001', '[fd00::7]:5001']) {
    const endpoint = parseEndpoint(text);
    for (const transport of ['tcp', 'memory'] as const) {
      assert.deepEqual(endpointOf(multiaddrOf(endpoint, transport)), endpoint);
    }
    assert.equal(endpointText(endpoint), text);
  }
});

test('router address: what cannot be dialled here is none', () => {
  const memory = ['/memory/%3A5001', '/memory/[fe80::1%25eth0]:5001', '/memory/x'];
  for (const text of [
    ...memory,
    '/ip4/10.0.0.7/udp/5001/quic-v1',
    '/dns4/a/tcp/1',
    '/ip4/10.0.0.7',
    '/ip4/10.0.0.7/tcp/1/ws',
  ]) {
    assert.equal(endpointOf(multiaddr(text)), undefined, text);
  }
  assert.deepEqual(endpointOf(multiaddr('/ip6/::ffff:10.0.0.7/tcp/1')), { host: '10.0.0.7', port: 1 });
});

test('announced address: one that others reach, IPv4 first; loopback only where nothing else is bound', () => {
  const bound = ['127.0.0.1', '::1', 'fe80::1', 'fd00::7', '10.0.0.7', '10.0.0.8'].map((host) => ({ host, port: 1 }));
  assert.equal(announcedEndpoint(bound)?.host, '10.0.0.7');
  assert.equal(announcedEndpoint(bound.slice(0, 4))?.host, 'fd00::7');
  assert.equal(announcedEndpoint(bound.slice(0, 2))?.host, '127.0.0.1');
  assert.equal(announcedEndpoint([]), undefined);
});
