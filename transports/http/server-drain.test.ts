import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { answerWith, bodyOf, borrowedBody, get, patternBytes, rawClient, serve, until } from './testing/loopback.ts';
import type { RequestText } from '../../core/index.ts';

const content = patternBytes(300_000);
const second = 1_000_000;

test('drain: idle connections end at once, bodies in flight are finished and say that they are the last', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const { server, port, requests, clock } = await serve(async () => {
    await held;
    return answerWith(borrowedBody(content, 65_536), content.byteLength);
  });
  const idle = rawClient(port, '');
  const waiting = rawClient(port, get('/x'));
  await until(() => requests.length === 1 && server.connections() === 2, 'both');
  const closed = server.close();
  assert.equal(await idle.ended(), 'fin');
  assert.equal(server.connections(), 1);
  release();
  assert.equal(await waiting.ended(), 'fin');
  assert.match(waiting.received(), /\r\nconnection: close\r\n/i);
  assert.equal(bodyOf(waiting.received()) === content.toString('latin1'), true);
  await closed;
  assert.equal(server.connections(), 0);
  assert.equal(clock.pending(), 0);
  await server.close();
});

test('drain: nothing new is accepted', async () => {
  const { server, port } = await serve(() => answerWith(borrowedBody(content, 1), 1));
  await server.close();
  const client = rawClient(port, get('/x'));
  assert.equal(await client.ended(), 'reset');
});

test('drain: after its time bodies in flight end with FIN, and the signal aborts', async () => {
  const body = borrowedBody(content, 65_536, 'stall');
  const signals: AbortSignal[] = [];
  const { server, port, clock } = await serve(
    (_input: RequestText, signal: AbortSignal) => {
      signals.push(signal);
      return answerWith(body, 1_000_000);
    },
    { drainTimeoutUs: 25 * second },
  );
  const client = rawClient(port, get('/x'));
  await until(() => bodyOf(client.received()).length === content.byteLength, 'the bytes');
  const closed = server.close();
  await clock.advance(25 * second - 1);
  assert.equal(client.end(), undefined);
  await clock.advance(1);
  assert.equal(await client.ended(), 'fin');
  await closed;
  assert.deepEqual([signals[0]?.aborted, body.ended(), clock.pending()], [true, true, 0]);
});

test('drain: a client that does not close after our FIN does not hold it up', async () => {
  const body = borrowedBody(content, 65_536, 'stall');
  const { server, port, clock } = await serve(() => answerWith(body, 1_000_000));
  const client = rawClient(port, get('/x'));
  client.socket.allowHalfOpen = true;
  await until(() => bodyOf(client.received()).length === content.byteLength, 'the bytes');
  const closed = server.close();
  await clock.advance(25 * second);
  assert.equal(await client.ended(), 'fin');
  assert.equal(server.connections(), 1);
  await clock.advance(2 * second);
  await closed;
  client.socket.destroy();
});

test('drain: a chunk that the client has not taken is dropped with its connection', async () => {
  const large = patternBytes(16 * 1024 * 1024);
  const body = borrowedBody(large, large.byteLength);
  const { server, port, clock } = await serve(() => answerWith(body, large.byteLength));
  const client = rawClient(port, get('/x'));
  client.socket.pause();
  await until(() => body.nexts() === 1, 'the chunk');
  const closed = server.close();
  await clock.advance(25 * second);
  await closed;
  client.socket.resume();
  assert.equal(await client.ended(), 'fin');
  const received = bodyOf(client.received());
  assert.ok(received.length < large.byteLength);
  assert.equal(received === large.subarray(0, received.length).toString('latin1'), true);
});

test('listen: a port that is taken is said so, with what to do', async () => {
  const { server, port } = await serve(() => answerWith(borrowedBody(content, 1), 1));
  await assert.rejects(
    serve(() => answerWith(borrowedBody(content, 1), 1), {}, { port }),
    {
      code: 'ADDRESS_IN_USE',
      message: `something else listens on 127.0.0.1, port ${String(port)} already: choose another port or stop it`,
    },
  );
  await server.close();
});

test('listen: an address that is not of this machine is invalid', async () => {
  for (const host of ['192.0.2.1', 'no such name']) {
    await assert.rejects(
      serve(() => answerWith(borrowedBody(content, 1), 1), {}, { host }),
      { code: 'ADDRESS_INVALID' },
    );
  }
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
const needsIpv6 = hasIpv6 ? {} : { skip: 'this machine has no IPv6 loopback' };

test('listen: IPv6 alone', needsIpv6, async () => {
  const small = Buffer.from('small');
  const { server, port } = await serve(() => answerWith(borrowedBody(small, 5), 5), {}, { host: '::1' });
  assert.deepEqual(server.addresses, [`[::1]:${String(port)}`]);
  const client = rawClient(port, get('/x', 'connection: close'), '::1');
  assert.equal(await client.ended(), 'fin');
  assert.equal(bodyOf(client.received()), 'small');
  await server.close();
});

test('listen: without a host, both families', needsIpv6, async () => {
  const small = Buffer.from('small');
  const { server, port } = await serve(() => answerWith(borrowedBody(small, 5), 5), {}, { host: undefined });
  for (const host of ['127.0.0.1', '::1']) {
    const client = rawClient(port, get('/x', 'connection: close'), host);
    assert.equal(await client.ended(), 'fin');
    assert.equal(bodyOf(client.received()), 'small');
  }
  await server.close();
});
