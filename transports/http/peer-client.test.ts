import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { limitsWith } from '../../core/index.ts';
import type { Body, Limits, Member, PeerResponse } from '../../core/index.ts';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import type { VirtualClock } from '../../core/testing/virtual-clock.ts';
import { createBufferPool } from '../system/buffer-pool.ts';
import type { BufferPool } from '../system/buffer-pool.ts';
import { createPeerClient } from './peer-client.ts';
import type { HttpPeerClient } from './peer-client.ts';
import { answerWith, borrowedBody, memberAt, patternBytes, scriptedPeer, serve, until } from './testing/loopback.ts';

const content = patternBytes(3_000_000);

interface Setup {
  readonly client: HttpPeerClient;
  readonly clock: VirtualClock;
  readonly buffers: BufferPool;
  get(member: Member, target?: string, signal?: AbortSignal): Promise<PeerResponse>;
  /** Ends the client and checks that it has left nothing behind. */
  end(): void;
}

function setUp(limits: Partial<Limits> = {}, authorization?: string): Setup {
  const clock = createVirtualClock();
  const buffers = createBufferPool(limitsWith(limits));
  const client = createPeerClient({ clock, buffers }, { limits: limitsWith(limits), authorization });
  return {
    client,
    clock,
    buffers,
    get: (member, target = '/v2/x', signal = new AbortController().signal) =>
      client.fetch(member, { method: 'GET', target, headers: {} }, signal),
    end: () => {
      client.close();
      assert.deepEqual([clock.pending(), buffers.pending(), client.idleConnections()], [0, 0, 0]);
    },
  };
}

/** All bytes, copied as they pass. */
async function readAll(body: Body | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const result = await body?.next();
    if (result === undefined || result.done === true) return Buffer.concat(chunks);
    chunks.push(Buffer.from(result.value as Uint8Array));
  }
}

function answer(body: string, ...fields: readonly string[]): string {
  return ['HTTP/1.1 200 OK', `content-length: ${String(body.length)}`, ...fields, '', body].join('\r\n');
}

test('request: marked as a mirror, with Host and credentials, in fields that are asked for', async () => {
  const { server, port, requests } = await serve(() => answerWith(borrowedBody(Buffer.from('x'), 1), 1));
  const { client, end } = setUp({}, 'Basic abc');
  const signal = new AbortController().signal;
  const response = await client.fetch(
    memberAt(port),
    { method: 'GET', target: '/v2/a?ns=b', headers: { range: 'bytes=0-' } },
    signal,
  );
  await readAll(response.body);
  assert.deepEqual(requests, [
    {
      method: 'GET',
      target: '/v2/a?ns=b',
      headers: {
        host: `127.0.0.1:${String(port)}`,
        'accept-encoding': 'identity',
        range: 'bytes=0-',
        'x-spegel-mirrored': 'true',
        authorization: 'Basic abc',
      },
    },
  ]);
  end();
  await server.close();
});

test('request: text that would be read as something else is not sent', async () => {
  const { client, end } = setUp();
  const signal = new AbortController().signal;
  for (const [target, headers] of [
    ['/a b', {}],
    ['/a\r\nx: y', {}],
    ['http://a/', {}],
    ['/a', { 'x\r\ny': 'z' }],
    ['/a', { x: 'y\r\nz: 1' }],
    ['/a', { x: 'y\0' }],
  ] as const) {
    await assert.rejects(client.fetch(memberAt(1), { method: 'GET', target, headers }, signal), {
      code: 'REQUEST_INVALID',
    });
  }
  end();
});

test('bytes: a body arrives exactly, and its connection and buffer are used again', async () => {
  const { server, port } = await serve((input) => {
    const size = Number(input.target.slice(1));
    return answerWith(borrowedBody(content.subarray(0, size), 100_000), size);
  });
  const { client, get, buffers, end } = setUp();
  for (const size of [0, 1, 10_000, 16_384, 40_000, 3_000_000]) {
    const { body } = await get(memberAt(port), `/${String(size)}`);
    assert.equal((await readAll(body)).equals(content.subarray(0, size)), true, String(size));
    assert.deepEqual([client.idleConnections(), buffers.pending()], [1, 0]);
  }
  assert.equal(server.connections(), 1);
  end();
  await server.close();
});

test('bytes: many bodies at once stay inside the buffers, and beyond them go on in small ones', async () => {
  const { server, port } = await serve(() => answerWith(borrowedBody(content, 200_000), content.byteLength));
  const { get, buffers, end } = setUp({ bufferBudgetBytes: 1024 * 1024, bufferMaxBytes: 256 * 1024 });
  const reading = Array.from({ length: 12 }, async () => {
    const { body } = await get(memberAt(port));
    return (await readAll(body)).equals(content);
  });
  assert.ok(buffers.leasedBytes() <= 1024 * 1024);
  assert.deepEqual(
    await Promise.all(reading),
    Array.from({ length: 12 }, () => true),
  );
  end();
  await server.close();
});

test('head: HEAD has fields and no body, and the connection goes on', async () => {
  const { server, port } = await serve(() => answerWith(borrowedBody(content, 1), 5));
  const { client, end } = setUp();
  const signal = new AbortController().signal;
  for (let count = 0; count < 3; count += 1) {
    const response = await client.fetch(memberAt(port), { method: 'HEAD', target: '/x', headers: {} }, signal);
    assert.deepEqual([response.status, response.headers['content-length'], response.body], [200, '5', undefined]);
  }
  assert.equal(server.connections(), 1);
  end();
  await server.close();
});

test('cut: a peer that closes at any byte is noticed, with the bytes before it', async () => {
  const whole = answer(content.toString('latin1', 0, 50_000));
  const headBytes = whole.length - 50_000;
  for (const cutAt of [0, 1, headBytes - 1, headBytes, headBytes + 1, headBytes + 20_000, whole.length - 1]) {
    for (const reset of [false, true]) {
      const peer = await scriptedPeer((socket) => {
        socket.write(whole.slice(0, cutAt), 'latin1', () => void (reset ? socket.resetAndDestroy() : socket.end()));
      });
      const { get, end } = setUp();
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

test('cut: what was given out stays valid while a lost connection is noticed', async () => {
  const whole = answer(content.toString('latin1', 0, 100_000));
  const peer = await scriptedPeer((socket) => {
    socket.write(whole.slice(0, 60_000), 'latin1', () => socket.end());
  });
  const { get, buffers, end } = setUp();
  const { body } = await get(memberAt(peer.port));
  await body?.next();
  const second = await body?.next();
  assert.equal(buffers.pending(), 1);
  const bytes = second?.value as Uint8Array;
  const before = Buffer.from(bytes);
  await until(() => peer.sockets.size === 0 || peer.accepted() === 1, 'the end');
  assert.equal(before.equals(bytes), true);
  await assert.rejects(readAll(body), { code: 'PEER_CLOSED' });
  assert.equal(buffers.pending(), 0);
  end();
  await peer.close();
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
    const { get, client, end } = setUp();
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
      socket.write(`${answer('b'.repeat(size))}HTTP/1.1 200 OK\r\n`, 'latin1');
    });
    const { get, client, end } = setUp();
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
    socket.write(answer('hello'), 'latin1');
  });
  const { get, client, end } = setUp();
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
    else socket.write(answer('hello'), 'latin1');
  });
  const { get, end } = setUp();
  for (let count = 0; count < 2; count += 1) {
    assert.equal((await readAll((await get(memberAt(peer.port))).body)).toString(), 'hello');
  }
  assert.deepEqual([peer.accepted(), heads.length, heads[1] === heads[2]], [2, 3, true]);
  end();
  await peer.close();
});

test('stale: a fresh connection that is closed, or one that had begun to answer, is not replaced', async () => {
  const peer = await scriptedPeer((socket, _head, nth) => {
    if (nth === 1) socket.write(answer('hello'), 'latin1');
    else if (nth === 2) socket.end('HTTP/1.1 2');
    else socket.destroy();
  });
  const { get, end } = setUp();
  await readAll((await get(memberAt(peer.port))).body);
  await assert.rejects(get(memberAt(peer.port)), { code: 'PEER_CLOSED' });
  await assert.rejects(get(memberAt(peer.port)), { code: 'PEER_CLOSED' });
  assert.equal(peer.accepted(), 2);
  end();
  await peer.close();
});

test('stale: a connection that closes while idle is forgotten', async () => {
  const peer = await scriptedPeer((socket) => {
    socket.write(answer('hello'), 'latin1');
  });
  const { get, client, end } = setUp();
  await readAll((await get(memberAt(peer.port))).body);
  for (const socket of peer.sockets) socket.end();
  await until(() => client.idleConnections() === 0, 'no idle connection');
  end();
  await peer.close();
});

test('idle: connection: close is believed', async () => {
  const peer = await scriptedPeer((socket) => {
    socket.write(answer('hello', 'connection: close'), 'latin1');
  });
  const { get, client, end } = setUp();
  await readAll((await get(memberAt(peer.port))).body);
  assert.equal(client.idleConnections(), 0);
  end();
  await peer.close();
});

test('idle: a connection is kept for its time', async () => {
  const peer = await scriptedPeer((socket) => {
    socket.write(answer('hello'), 'latin1');
  });
  const { get, client, clock, end } = setUp({ idleConnectionTimeoutUs: 1000 });
  await readAll((await get(memberAt(peer.port))).body);
  await clock.advance(999);
  assert.equal(client.idleConnections(), 1);
  await clock.advance(1);
  assert.equal(client.idleConnections(), 0);
  await until(() => peer.sockets.size === 0, 'no connection');
  end();
  await peer.close();
});

test('abort: ends a call that waits for the dial, the head, or a chunk, at once', async () => {
  const peer = await scriptedPeer((socket, head) => {
    if (head.includes('/body')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n', 'latin1');
  });
  const { get, end } = setUp();

  const dial = new AbortController();
  const dialling = get(memberAt(peer.port), '/head', dial.signal);
  dial.abort();
  await assert.rejects(dialling, { code: 'ABORTED' });

  const head = new AbortController();
  const waiting = get(memberAt(peer.port), '/head', head.signal);
  await until(() => peer.sockets.size > 0, 'the connection');
  head.abort();
  await assert.rejects(waiting, { code: 'ABORTED' });

  const bodyOf = new AbortController();
  const { body } = await get(memberAt(peer.port), '/body', bodyOf.signal);
  const next = body?.next();
  bodyOf.abort();
  await assert.rejects(next ?? Promise.resolve(), { code: 'ABORTED' });
  await assert.rejects(get(memberAt(peer.port), '/head', bodyOf.signal), { code: 'ABORTED' });

  await until(() => peer.sockets.size === 0, 'no connection');
  end();
  await peer.close();
});

test('abort: return() in a stall makes the pending next() reject, and ends the connection', async () => {
  const peer = await scriptedPeer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nabc', 'latin1');
  });
  const { get, buffers, end } = setUp();
  const { body } = await get(memberAt(peer.port));
  await body?.next();
  const next = body?.next();
  assert.equal(buffers.pending(), 1);
  await body?.return();
  await assert.rejects(next ?? Promise.resolve(), { code: 'ABORTED' });
  assert.equal(buffers.pending(), 0);
  assert.equal((await body?.next())?.done, true);
  await until(() => peer.sockets.size === 0, 'no connection');
  end();
  await peer.close();
});

test('abort: a small answer that is returned unread keeps its connection', async () => {
  const peer = await scriptedPeer((socket) => {
    socket.write(answer('{"errors":[]}').replace('200 OK', '503 Busy'), 'latin1');
  });
  const { get, client, end } = setUp();
  const response = await get(memberAt(peer.port));
  assert.equal(response.status, 503);
  await response.body?.return();
  assert.equal(client.idleConnections(), 1);
  end();
  await peer.close();
});

test('abort: a thousand bodies that are given up leave no connection, buffer or timer', async () => {
  const { server, port } = await serve(() => answerWith(borrowedBody(content, 65_536), content.byteLength));
  const { get, client, clock, buffers } = setUp();
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(
      Array.from({ length: 50 }, async (_value, index) => {
        const controller = new AbortController();
        const { body } = await get(memberAt(port), '/x', controller.signal);
        if (index % 3 === 0) await body?.next();
        if (index % 2 === 0) controller.abort();
        else await body?.return();
      }),
    );
  }
  assert.deepEqual([clock.pending(), buffers.pending(), client.idleConnections()], [0, 0, 0]);
  await until(() => server.connections() === 0, 'no connection');
  client.close();
  await server.close();
});

test('dial: a refused address costs nothing, the next one is taken', async () => {
  const peer = await scriptedPeer((socket) => {
    socket.write(answer('hello'), 'latin1');
  });
  const { get, end } = setUp();
  const response = await get(memberAt(peer.port, ['127.0.0.2', '127.0.0.1']));
  assert.equal((await readAll(response.body)).toString(), 'hello');
  end();
  await peer.close();
  const gone = setUp();
  await assert.rejects(gone.get(memberAt(peer.port, ['127.0.0.1', '127.0.0.2'])), { code: 'DIAL_REFUSED' });
  gone.end();
});

test('dial: only IP addresses and real ports are dialled', async () => {
  const { get, end } = setUp();
  await assert.rejects(get(memberAt(80, ['localhost'])), { code: 'DIAL_REFUSED' });
  await assert.rejects(get(memberAt(80, [])), { code: 'DIAL_REFUSED' });
  await assert.rejects(get(memberAt(70_000)), { code: 'DIAL_REFUSED' });
  end();
});

const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
for (const [name, text] of [
  ['chunks', chunked],
  ['no length', 'HTTP/1.1 200 OK\r\n\r\nhello'],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello'],
  ['an interim answer', `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${answer('hello')}`],
] as const) {
  test(`not plain: ${name}: read by a complete client, on a connection of its own`, async () => {
    const peer = await scriptedPeer((socket) => {
      if (name === 'no length') socket.end(text, 'latin1');
      else socket.write(text, 'latin1');
    });
    const { get, client, end } = setUp();
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
  const { get, end } = setUp();
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

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
const needsIpv6 = hasIpv6 ? {} : { skip: 'this machine has no IPv6 loopback' };

test('dial: IPv6', needsIpv6, async () => {
  const heads: string[] = [];
  const peer = await scriptedPeer((socket, head) => {
    heads.push(head);
    socket.write(answer('hello'), 'latin1');
  }, '::1');
  const { get, end } = setUp();
  assert.equal((await readAll((await get(memberAt(peer.port, ['::1']))).body)).toString(), 'hello');
  assert.match(heads[0] ?? '', new RegExp(`\\r\\nhost: \\[::1\\]:${String(peer.port)}\\r\\n`));
  end();
  await peer.close();
});
