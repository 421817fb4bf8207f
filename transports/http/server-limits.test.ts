import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerWith, bodyOf, borrowedBody, get, patternBytes, rawClient, serve, until } from './testing/loopback.ts';

const second = 1_000_000;
/** More than the kernel's buffers of a connection take. */
const large = patternBytes(16 * 1024 * 1024);

test('limits: a client that does not finish its first head is let go', async () => {
  const { server, port, clock } = await serve(() => answerWith(borrowedBody(large, 1), 1), {
    requestHeadTimeoutUs: second,
  });
  const client = rawClient(port, 'GET /x HTTP/1.1\r\n');
  await until(() => server.connections() === 1, 'the connection');
  await clock.advance(second - 1);
  assert.equal(server.connections(), 1);
  await clock.advance(1);
  assert.equal(await client.ended(), 'fin');
  assert.equal(client.received(), '');
  await until(() => server.connections() === 0, 'no connection');
  assert.equal(clock.pending(), 0);
  await server.close();
});

test('limits: an idle connection is kept for its time, counted from the last answer', async () => {
  const small = Buffer.from('small');
  const { server, port, clock } = await serve(() => answerWith(borrowedBody(small, 5), 5), {
    serverIdleTimeoutUs: 100 * second,
  });
  const client = rawClient(port, get('/a'));
  await client.sees('small');
  await clock.advance(99 * second);
  client.socket.write(get('/b'));
  await until(() => client.received().split('small').length === 3, 'the second answer');
  await clock.advance(99 * second);
  assert.equal(client.end(), undefined);
  await clock.advance(second);
  assert.equal(await client.ended(), 'fin');
  await server.close();
});

test('limits: a client that takes no byte while bytes wait is dead; the body is returned after the bytes', async () => {
  const body = borrowedBody(large, 8 * 1024 * 1024);
  const { server, port, clock } = await serve(() => answerWith(body, large.byteLength), {
    deadClientTimeoutUs: second,
  });
  const client = rawClient(port, get('/x'));
  client.socket.pause();
  await until(() => body.nexts() === 1, 'the first chunk');
  await clock.advance(second);
  await clock.advance(second);
  await until(() => server.connections() === 0 && body.ended(), 'the cut');
  assert.equal(body.nexts(), 1);
  assert.equal(clock.pending(), 0);
  client.socket.destroy();
  await server.close();
});

test('limits: a slow client is not cut, however long a chunk takes', async () => {
  const body = borrowedBody(large, large.byteLength);
  const { server, port, clock } = await serve(() => answerWith(body, large.byteLength), {
    deadClientTimeoutUs: second,
  });
  const client = rawClient(port, get('/x', 'connection: close'));
  client.socket.pause();
  await until(() => body.nexts() === 1, 'the chunk');
  // The kernel's window opens in steps of its own: what the server sees is some progress within each deadline.
  const step = 2 * 1024 * 1024;
  for (let wanted = step; wanted <= 3 * step; wanted += step) {
    await clock.advance(second - 1);
    client.socket.resume();
    await until(() => client.socket.bytesRead >= wanted, 'some bytes');
    client.socket.pause();
  }
  assert.equal(body.nexts(), 1);
  client.socket.resume();
  await client.ended();
  assert.equal(bodyOf(client.received()) === large.toString('latin1'), true);
  await server.close();
});

test('limits: above as many requests as may be answered, mirrors are told so and containerd goes on', async () => {
  const { server, port, requests } = await serve(
    (_input, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', reject)),
    { requestsMax: 2 },
  );
  const busy = [rawClient(port, get('/1')), rawClient(port, get('/2'))];
  await until(() => requests.length === 2, 'two requests');
  const mirror = rawClient(port, get('/3', 'x-spegel-mirrored: true', 'connection: close'));
  await mirror.ended();
  assert.match(mirror.received(), /^HTTP\/1\.1 503 [^]*TOOMANYREQUESTS/);
  const client = rawClient(port, get('/3', 'connection: close'));
  await client.ended();
  assert.match(client.received(), /^HTTP\/1\.1 404 [^]*TOOMANYREQUESTS/);
  const probe = rawClient(port, get('/livez', 'connection: close'));
  await probe.ended();
  assert.match(probe.received(), /^HTTP\/1\.1 200 /);
  assert.equal(requests.length, 2);
  for (const { socket } of busy) socket.destroy();
  await server.close();
});

test('limits: connections beyond their number are closed at once', async () => {
  const { server, port } = await serve(() => answerWith(borrowedBody(large, 1), 1), { clientConnectionsMax: 1 });
  const first = rawClient(port, '');
  await until(() => server.connections() === 1, 'the first');
  const second = rawClient(port, '');
  await second.ended();
  assert.equal(first.end(), undefined);
  first.socket.destroy();
  await server.close();
});

test('limits: more requests in one packet than may wait end the connection after those', async () => {
  const small = Buffer.from('small.');
  const { server, port } = await serve(() => answerWith(borrowedBody(small, 6), 6), { pipelinedRequestsMax: 3 });
  const client = rawClient(port, get('/x').repeat(10));
  assert.equal(await client.ended(), 'fin');
  assert.equal(client.received().match(/small\./g)?.length, 4);
  await server.close();
});
