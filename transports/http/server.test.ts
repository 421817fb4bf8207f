import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeiliError } from '../../core/index.ts';
import { answerWith, bodyOf, borrowedBody, get, patternBytes, rawClient, serve, until } from './testing/loopback.ts';
import type { WatchedBody } from './testing/loopback.ts';

const content = patternBytes(300_000);
const text = content.toString('latin1');

test('bytes: a body arrives exactly, whatever its chunks, out of one borrowed buffer', async () => {
  const { server, port } = await serve((input) => {
    const chunkBytes = Number(input.target.slice(1));
    return answerWith(borrowedBody(content, chunkBytes), content.byteLength);
  });
  for (const chunkBytes of [997, 65_536, 262_144, 300_000]) {
    const client = rawClient(port, get(`/${String(chunkBytes)}`, 'connection: close'));
    assert.equal(await client.ended(), 'fin');
    assert.equal(bodyOf(client.received()) === text, true, String(chunkBytes));
    assert.match(client.received(), /\r\ncontent-length: 300000\r\n/);
    assert.doesNotMatch(client.received(), /chunked|content-encoding/i);
  }
  await server.close();
});

test('bytes: requests in one packet are answered in order, one after the other', async () => {
  const active = { now: 0, max: 0 };
  const { server, port } = await serve(async (input) => {
    active.now += 1;
    active.max = Math.max(active.max, active.now);
    await new Promise((resolve) => setImmediate(resolve));
    active.now -= 1;
    const body = Buffer.from(`<${input.target}>`);
    return answerWith(borrowedBody(body, 3), body.byteLength);
  });
  const client = rawClient(port, get('/a') + get('/b') + get('/c', 'connection: close'));
  assert.equal(await client.ended(), 'fin');
  assert.deepEqual(client.received().match(/<\/.>/g), ['</a>', '</b>', '</c>']);
  assert.equal(active.max, 1);
  await server.close();
});

test('head: HEAD has the fields of GET and no body', async () => {
  const bodies: WatchedBody[] = [];
  const { server, port } = await serve(() => {
    const body = borrowedBody(content, 1000);
    bodies.push(body);
    return answerWith(body, content.byteLength);
  });
  const client = rawClient(port, `HEAD /x HTTP/1.1\r\nhost: mirror\r\nconnection: close\r\n\r\n`);
  assert.equal(await client.ended(), 'fin');
  assert.match(client.received(), /^HTTP\/1\.1 200 OK\r\ncontent-length: 300000\r\n/);
  assert.equal(bodyOf(client.received()), '');
  assert.deepEqual([bodies[0]?.nexts(), bodies[0]?.ended()], [0, true]);
  await server.close();
});

test('head: a field that HTTP cannot carry costs one answer, not the process', async () => {
  const bodies: WatchedBody[] = [];
  const { server, port, events } = await serve(() => {
    const body = borrowedBody(content, 1000);
    bodies.push(body);
    const answer = answerWith(body, content.byteLength);
    return { ...answer, headers: { ...answer.headers, 'content-type': 'text/\u4e2d' } };
  });
  const client = rawClient(port, get('/x', 'connection: close'));
  assert.equal(await client.ended(), 'fin');
  assert.match(client.received(), /^HTTP\/1\.1 404 /);
  assert.deepEqual([bodies[0]?.nexts(), bodies[0]?.ended()], [0, true]);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['request-failed'],
  );
  await server.close();
});

test('ends: a body that fails is cut with FIN, after every byte that it gave', async () => {
  const { server, port } = await serve(() => {
    const lost = new PeiliError('SOURCES_EXHAUSTED', 'no source left');
    return answerWith(borrowedBody(content.subarray(0, 200_000), 65_536, lost), content.byteLength);
  });
  const client = rawClient(port, get('/x'));
  assert.equal(await client.ended(), 'fin');
  assert.equal(bodyOf(client.received()) === text.slice(0, 200_000), true);
  await server.close();
});

test('ends: a cut is FIN even while the client is sending', async () => {
  const { server, port } = await serve(() => {
    const lost = new PeiliError('SOURCES_EXHAUSTED', 'no source left');
    return answerWith(borrowedBody(content.subarray(0, 1000), 100, lost), content.byteLength);
  });
  const client = rawClient(port, get('/x') + get('/y').repeat(2000));
  assert.equal(await client.ended(), 'fin');
  assert.equal(bodyOf(client.received()) === text.slice(0, 1000), true);
  client.socket.destroy();
  await server.close();
});

test('ends: a digest mismatch is RST', async () => {
  const { server, port } = await serve(() => {
    const wrong = new PeiliError('DIGEST_MISMATCH', 'not what was asked for');
    return answerWith(borrowedBody(content.subarray(0, 1000), 100, wrong), content.byteLength);
  });
  const client = rawClient(port, get('/x'));
  assert.equal(await client.ended(), 'reset');
  await server.close();
});

test('ends: a body that is shorter or longer than promised does not end cleanly, and the operator is told', async () => {
  for (const promisedBytes of [1001, 999]) {
    const { server, port, events } = await serve(() =>
      answerWith(borrowedBody(content.subarray(0, 1000), 100), promisedBytes),
    );
    const client = rawClient(port, get('/x'));
    assert.equal(await client.ended(), 'fin');
    assert.ok(bodyOf(client.received()).length < promisedBytes);
    assert.equal(events[0]?.type, 'request-failed');
    await server.close();
  }
});

test('faults: a mirror that breaks its promise is answered 404, and the operator is told', async () => {
  const faults = [
    () => Promise.reject(new Error('oops')),
    () => ({ status: 200, headers: { 'content-length': '5' } }),
    () => ({ status: 200, headers: {}, body: borrowedBody(content, 10) }),
  ];
  for (const fault of faults) {
    const { server, port, events } = await serve(fault);
    const client = rawClient(port, get('/x', 'connection: close'));
    assert.equal(await client.ended(), 'fin');
    assert.match(client.received(), /^HTTP\/1\.1 404 /);
    assert.match(bodyOf(client.received()), /^\{"errors":\[\{"code":/);
    assert.equal(events[0]?.type, 'request-failed');
    await server.close();
  }
});

test('hang-up: the signal aborts and the body is returned, before the head and in mid-body', async () => {
  const bodies: WatchedBody[] = [];
  const signals: AbortSignal[] = [];
  const { server, port, requests } = await serve((input, signal) => {
    signals.push(signal);
    if (input.target === '/never') return new Promise((_resolve, reject) => signal.addEventListener('abort', reject));
    const body = borrowedBody(content, 65_536, 'stall');
    bodies.push(body);
    return answerWith(body, 1_000_000);
  });
  const before = rawClient(port, get('/never'));
  await until(() => requests.length === 1, 'the request');
  before.socket.destroy();
  await until(() => signals[0]?.aborted === true, 'the abort');

  const during = rawClient(port, get('/stalls'));
  await until(() => bodyOf(during.received()).length === content.byteLength, 'the bytes');
  during.socket.resetAndDestroy();
  await until(() => signals[1]?.aborted === true && bodies[0]?.ended() === true, 'the abort');
  await until(() => server.connections() === 0, 'no connection');
  await server.close();
});

test('hang-up: a thousand clients that go in mid-body leave no connection, body or timer', async () => {
  const bodies: WatchedBody[] = [];
  const { server, port, clock } = await serve(() => {
    const body = borrowedBody(content.subarray(0, 8192), 4096, 'stall');
    bodies.push(body);
    return answerWith(body, 1_000_000);
  });
  for (let round = 0; round < 10; round += 1) {
    const clients = Array.from({ length: 100 }, () => rawClient(port, get('/x')));
    await until(() => clients.every((client) => client.received().length > 0), 'first bytes');
    for (const [index, { socket }] of clients.entries()) {
      if (index % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
    }
    await until(() => server.connections() === 0, 'no connection');
  }
  await until(() => bodies.every((body) => body.ended()), 'no body');
  assert.equal(bodies.length, 1000);
  assert.equal(clock.pending(), 0);
  await server.close();
});

test('probes: /livez and /readyz answer in text, without the mirror', async () => {
  const { server, port, requests } = await serve(() => answerWith(borrowedBody(content, 1), 1));
  const alive = rawClient(port, get('/livez') + get('/readyz', 'connection: close'));
  assert.equal(await alive.ended(), 'fin');
  assert.match(alive.received(), /^HTTP\/1\.1 200 OK[^]*alive\nHTTP\/1\.1 503 [^]*no members yet\n$/);
  assert.equal(requests.length, 0);
  await server.close();
});
