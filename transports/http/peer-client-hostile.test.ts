import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { memberAt, patternBytes, scriptedPeer, until } from './testing/loopback.ts';
import { answerText, readAll, setUpClient } from './testing/peer-client-setup.ts';

const content = patternBytes(3_000_000);

test('cut: a peer that closes at any byte is noticed, with the bytes before it', async () => {
  const whole = answerText(content.toString('latin1', 0, 50_000));
  const headBytes = whole.length - 50_000;
  for (const cutAt of [0, 1, headBytes - 1, headBytes, headBytes + 1, headBytes + 20_000, whole.length - 1]) {
    for (const reset of [false, true]) {
      const peer = await scriptedPeer((socket) => {
        socket.write(whole.slice(0, cutAt), 'latin1', () => void (reset ? socket.resetAndDestroy() : socket.end()));
      });
      const { get, end } = setUpClient();
      const reading = (async (): Promise<void> => {
        const { body } = await get(memberAt(peer.port));
        await readAll(body);
      })();
      await assert.rejects(reading, { code: 'PEER_CLOSED' }, `${String(cutAt)} ${String(reset)}`);
      end();
      await peer.close();
    }
  }
});

for (const [name, garbage] of [
  ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n'],
  ['TLS', '\x15\x03\x01\0\x02\x02\x46'],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello'],
  ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['an endless head', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(5000)}`],
] as const) {
  test(`garbage: ${name} is no answer, and the connection is not kept`, async () => {
    const peer = await scriptedPeer((socket) => {
      socket.write(garbage, 'latin1');
    });
    const { get, client, end } = setUpClient();
    await assert.rejects(get(memberAt(peer.port)), { code: 'PEER_PROTOCOL' });
    assert.equal(client.idleConnections(), 0);
    await until(() => peer.sockets.size === 0, 'no connection');
    end();
    await peer.close();
  });
}

test('garbage: bytes beyond the promised ones are not given out, and the connection is not kept', async () => {
  for (const size of [0, 5, 50_000]) {
    const peer = await scriptedPeer((socket) => {
      socket.write(`${answerText('b'.repeat(size))}HTTP/1.1 200 OK\r\n`, 'latin1');
    });
    const { get, client, end } = setUpClient();
    const { body } = await get(memberAt(peer.port));
    assert.equal((await readAll(body)).byteLength, size);
    assert.equal(client.idleConnections(), 0);
    await until(() => peer.sockets.size === 0, 'no connection');
    end();
    await peer.close();
  }
});

test('garbage: bytes that nobody asked for end an idle connection', async () => {
  const peer = await scriptedPeer((socket) => {
    socket.write(answerText('hello'), 'latin1');
  });
  const { get, client, end } = setUpClient();
  await readAll((await get(memberAt(peer.port))).body);
  assert.equal(client.idleConnections(), 1);
  for (const socket of peer.sockets) socket.write('x');
  await until(() => client.idleConnections() === 0, 'no idle connection');
  end();
  await peer.close();
});

test('stale: a kept connection that was closed meanwhile is replaced, once, unseen', async () => {
  const heads: string[] = [];
  // It closes its second request without a byte, as a server does whose idle time ends as the request arrives.
  const peer = await scriptedPeer((socket, head, nth) => {
    heads.push(head);
    if (nth === 2) socket.destroy();
    else socket.write(answerText('hello'), 'latin1');
  });
  const { get, end } = setUpClient();
  for (let count = 0; count < 2; count += 1) {
    assert.equal((await readAll((await get(memberAt(peer.port))).body)).toString(), 'hello');
  }
  assert.deepEqual([peer.accepted(), heads.length, heads[1] === heads[2]], [2, 3, true]);
  end();
  await peer.close();
});

test('stale: a fresh connection that is closed, or one that had begun to answer, is not replaced', async () => {
  const peer = await scriptedPeer((socket, _head, nth) => {
    if (nth === 1) socket.write(answerText('hello'), 'latin1');
    else if (nth === 2) socket.end('HTTP/1.1 2');
    else socket.destroy();
  });
  const { get, end } = setUpClient();
  await readAll((await get(memberAt(peer.port))).body);
  await assert.rejects(get(memberAt(peer.port)), { code: 'PEER_CLOSED' });
  await assert.rejects(get(memberAt(peer.port)), { code: 'PEER_CLOSED' });
  assert.equal(peer.accepted(), 2);
  end();
  await peer.close();
});

test('stale: a connection that closes while idle is forgotten', async () => {
  const peer = await scriptedPeer((socket) => {
    socket.write(answerText('hello'), 'latin1');
  });
  const { get, client, end } = setUpClient();
  await readAll((await get(memberAt(peer.port))).body);
  for (const socket of peer.sockets) socket.end();
  await until(() => client.idleConnections() === 0, 'no idle connection');
  end();
  await peer.close();
});

const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
for (const [name, text] of [
  ['chunks', chunked],
  ['no length', 'HTTP/1.1 200 OK\r\n\r\nhello'],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello'],
  ['an interim answer', `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${answerText('hello')}`],
] as const) {
  test(`not plain: ${name}: read by a complete client, on a connection of its own`, async () => {
    const peer = await scriptedPeer((socket) => {
      if (name === 'no length') socket.end(text, 'latin1');
      else socket.write(text, 'latin1');
    });
    const { get, client, end } = setUpClient();
    const { status, body } = await get(memberAt(peer.port));
    assert.equal(status, 200);
    assert.equal((await readAll(body)).toString(), 'hello');
    assert.equal(client.idleConnections(), 0);
    assert.equal(peer.accepted(), 2);
    await until(() => peer.sockets.size === 0, 'no connection');
    end();
    await peer.close();
  });
}

test('not plain: a cut, an abort and a return end it like any other', async () => {
  const sockets: Socket[] = [];
  const peer = await scriptedPeer((socket) => {
    sockets.push(socket);
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n', 'latin1');
  });
  const { get, end } = setUpClient();
  const cut = (await get(memberAt(peer.port))).body;
  await cut?.next();
  sockets.at(-1)?.destroy();
  await assert.rejects(readAll(cut), { code: 'PEER_CLOSED' });

  const controller = new AbortController();
  const aborted = (await get(memberAt(peer.port), '/x', controller.signal)).body;
  await aborted?.next();
  const pending = aborted?.next();
  controller.abort();
  await assert.rejects(pending ?? Promise.resolve(), { code: 'ABORTED' });

  const returned = (await get(memberAt(peer.port))).body;
  await returned?.next();
  const waiting = returned?.next();
  await returned?.return();
  await assert.rejects(waiting ?? Promise.resolve(), { code: 'ABORTED' });

  await until(() => peer.sockets.size === 0, 'no connection');
  end();
  await peer.close();
});
