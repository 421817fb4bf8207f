import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerWith, bodyOf, borrowedBody, get, rawClient, serve, until } from './testing/loopback.ts';

const small = Buffer.from('small');

interface Refusal {
  readonly name: string;
  readonly request: string;
  readonly status: number;
}

const refusals: readonly Refusal[] = [
  { name: 'two Host fields', request: 'GET /x HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', status: 400 },
  { name: 'two equal Host fields', request: 'GET /x HTTP/1.1\r\nhost: a\r\nHost: a\r\n\r\n', status: 400 },
  { name: 'no Host field', request: 'GET /x HTTP/1.1\r\n\r\n', status: 400 },
  { name: 'a Host with a path', request: 'GET /x HTTP/1.1\r\nhost: a/b\r\n\r\n', status: 400 },
  { name: 'a Host with user information', request: 'GET /x HTTP/1.1\r\nhost: u@a\r\n\r\n', status: 400 },
  { name: 'a Host with a list', request: 'GET /x HTTP/1.1\r\nhost: a, b\r\n\r\n', status: 400 },
  { name: 'a Host with a bad port', request: 'GET /x HTTP/1.1\r\nhost: a:b\r\n\r\n', status: 400 },
  { name: 'a body', request: 'POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello', status: 413 },
  {
    name: 'a chunked body',
    request: 'GET /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    status: 400,
  },
  {
    name: 'a chunked body in 1.0',
    request: 'GET /x HTTP/1.0\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    status: 400,
  },
  {
    name: 'both lengths',
    request: 'GET /x HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    status: 400,
  },
  {
    name: 'two lengths',
    request: 'GET /x HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: 30\r\n\r\n',
    status: 400,
  },
  { name: 'a signed length', request: 'GET /x HTTP/1.1\r\nhost: a\r\ncontent-length: +0\r\n\r\n', status: 400 },
  { name: 'an expectation', request: 'GET /x HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n\r\n', status: 417 },
  { name: 'an unknown expectation', request: 'GET /x HTTP/1.1\r\nhost: a\r\nexpect: tea\r\n\r\n', status: 417 },
  { name: 'a line without carriage return', request: 'GET /x HTTP/1.1\nhost: a\n\n', status: 400 },
  { name: 'a folded field', request: 'GET /x HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n', status: 400 },
  { name: 'a space before the colon', request: 'GET /x HTTP/1.1\r\nhost : a\r\n\r\n', status: 400 },
  { name: 'a NUL', request: 'GET /x HTTP/1.1\r\nhost: a\0\r\n\r\n', status: 400 },
  { name: 'HTTP/2 with prior knowledge', request: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 400 },
  { name: 'something else', request: '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', status: 400 },
  { name: 'a tunnel', request: 'CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n', status: 405 },
  { name: 'a head that is too long', request: `GET /${'x'.repeat(5000)} HTTP/1.1\r\nhost: a\r\n\r\n`, status: 431 },
  {
    name: 'a second Host after thousands of fields',
    request: `GET / HTTP/1.1\r\nhost: a\r\n${'a:\r\n'.repeat(3000)}host: b\r\n\r\n`,
    status: 400,
  },
];

for (const { name, request, status } of refusals) {
  test(`refused: ${name}: ${String(status)}, and what follows is not read as a request`, async () => {
    const { server, port, requests } = await serve(() => answerWith(borrowedBody(small, 5), 5), {
      requestHeadMaxBytes: 4096,
    });
    const client = rawClient(port, request + get('/smuggled'));
    await client.ended();
    assert.match(client.received(), new RegExp(`^HTTP/1\\.1 ${String(status)} [^]*\\r\\nconnection: close\\r\\n`, 'i'));
    assert.match(bodyOf(client.received()), /^\{"errors":\[\{"code":"UNSUPPORTED".*\}\]\}$/);
    assert.equal(client.received().match(/HTTP\/1\.1 \d/g)?.length, 1);
    assert.deepEqual(requests, []);
    await server.close();
  });
}

const accepted: readonly (readonly [name: string, request: string, seen: Record<string, string>])[] = [
  ['HTTP/1.0 without Host', 'GET /x HTTP/1.0\r\n\r\n', {}],
  ['an empty Host', 'GET /x HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n', { host: '' }],
  ['an IPv6 Host', 'GET /x HTTP/1.1\r\nhost: [::1]:5000\r\nconnection: close\r\n\r\n', { host: '[::1]:5000' }],
  ['an empty body', 'GET /x HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n', { host: 'a' }],
  [
    'an upgrade, which is not made',
    'GET /x HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: upgrade, close\r\n\r\n',
    { upgrade: 'h2c' },
  ],
  [
    'a repeated field',
    'GET /x HTTP/1.1\r\nhost: a\r\nRange: a\r\nrange: b\r\nconnection: close\r\n\r\n',
    { range: 'a, b' },
  ],
  ['__proto__', 'GET /x HTTP/1.1\r\nhost: a\r\n__proto__: b\r\nconnection: close\r\n\r\n', { host: 'a' }],
];

for (const [name, request, seen] of accepted) {
  test(`accepted: ${name}`, async () => {
    const { server, port, requests } = await serve(() => answerWith(borrowedBody(small, 5), 5));
    const client = rawClient(port, request);
    assert.equal(await client.ended(), 'fin');
    assert.match(client.received(), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nsmall$/);
    const [{ headers } = { headers: {} }] = requests;
    assert.deepEqual({ ...headers, ...seen }, { ...headers });
    await server.close();
  });
}

test('accepted: targets reach the mirror as they came', async () => {
  const { server, port, requests } = await serve(() => answerWith(borrowedBody(small, 5), 5));
  const targets = ['/v2/a%2Fb/x?ns=docker.io', 'http://elsewhere/v2/', '/v2//../x', '*'];
  for (const target of targets) {
    const method = target === '*' ? 'OPTIONS' : 'GET';
    const client = rawClient(port, `${method} ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
    await client.ended();
  }
  assert.deepEqual(
    requests.map(({ target }) => target),
    targets,
  );
  await server.close();
});

test('tunnel: a client that resets after asking for one costs its own connection only', async () => {
  const { server, port } = await serve(() => Promise.reject(new Error('not asked for')));
  for (let count = 0; count < 20; count += 1) {
    const client = rawClient(port, '');
    client.socket.write('CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n', () => client.socket.resetAndDestroy());
  }
  await until(() => server.connections() === 0, 'all connections gone');
  const other = rawClient(port, get('/livez', 'connection: close'));
  assert.equal(await other.ended(), 'fin');
  await server.close();
});
