import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { limitsWith } from '../../core/index.ts';
import type { Clock } from '../../core/index.ts';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import { createPeerClient } from './peer-client.ts';
import { answerWith, borrowedBody, memberAt, patternBytes, scriptedPeer, serve, until } from './testing/loopback.ts';
import { answerText, readAll, setUpClient } from './testing/peer-client-setup.ts';

const content = patternBytes(3_000_000);

test('request: marked as a mirror, with Host and credentials, in fields that are asked for', async () => {
  const { server, port, requests } = await serve(() => answerWith(borrowedBody(Buffer.from('x'), 1), 1));
  const { client, end } = setUpClient({}, 'Basic abc');
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
  const { client, end } = setUpClient();
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
  const { client, get, buffers, end } = setUpClient();
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
  const { get, buffers, end } = setUpClient({ bufferBudgetBytes: 1024 * 1024, bufferMaxBytes: 256 * 1024 });
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
  const { client, end } = setUpClient();
  const signal = new AbortController().signal;
  for (let count = 0; count < 3; count += 1) {
    const response = await client.fetch(memberAt(port), { method: 'HEAD', target: '/x', headers: {} }, signal);
    assert.deepEqual([response.status, response.headers['content-length'], response.body], [200, '5', undefined]);
  }
  assert.equal(server.connections(), 1);
  end();
  await server.close();
});

test('idle: connection: close is believed', async () => {
  const peer = await scriptedPeer((socket) => {
    socket.write(answerText('hello', 'connection: close'), 'latin1');
  });
  const { get, client, end } = setUpClient();
  await readAll((await get(memberAt(peer.port))).body);
  assert.equal(client.idleConnections(), 0);
  end();
  await peer.close();
});

test('idle: a connection is kept for its time', async () => {
  const peer = await scriptedPeer((socket) => {
    socket.write(answerText('hello'), 'latin1');
  });
  const { get, client, clock, end } = setUpClient({ idleConnectionTimeoutUs: 1000 });
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
  const { get, end } = setUpClient();

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

test('abort: in the moment between the dial and the request it leaves no connection', async () => {
  const peer = await scriptedPeer(() => assert.fail('nothing is asked'));
  const caller = new AbortController();
  const clock = createVirtualClock();
  const abortsAsTheDialEnds: Clock = {
    ...clock,
    schedule: (delayUs, callback) => {
      const timer = clock.schedule(delayUs, callback);
      const cancel = (): void => {
        timer.cancel();
        queueMicrotask(() => {
          caller.abort();
        });
      };
      return { cancel };
    },
  };
  const { buffers, end } = setUpClient();
  const client = createPeerClient({ clock: abortsAsTheDialEnds, buffers }, { limits: limitsWith({}) });
  const call = client.fetch(memberAt(peer.port), { method: 'GET', target: '/v2/x', headers: {} }, caller.signal);
  await assert.rejects(call, { code: 'ABORTED' });
  await until(() => peer.accepted() === 1 && peer.sockets.size === 0, 'the connection has come and gone');
  client.close();
  end();
  await peer.close();
});

test('abort: return() in a stall makes the pending next() reject, and ends the connection', async () => {
  const peer = await scriptedPeer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nabc', 'latin1');
  });
  const { get, buffers, end } = setUpClient();
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
    socket.write(answerText('{"errors":[]}').replace('200 OK', '503 Busy'), 'latin1');
  });
  const { get, client, end } = setUpClient();
  const response = await get(memberAt(peer.port));
  assert.equal(response.status, 503);
  await response.body?.return();
  assert.equal(client.idleConnections(), 1);
  end();
  await peer.close();
});

test('abort: a thousand bodies that are given up leave no connection, buffer or timer', async () => {
  const { server, port } = await serve(() => answerWith(borrowedBody(content, 65_536), content.byteLength));
  const { get, client, clock, buffers } = setUpClient();
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
    socket.write(answerText('hello'), 'latin1');
  });
  const { get, end } = setUpClient();
  const response = await get(memberAt(peer.port, ['127.0.0.2', '127.0.0.1']));
  assert.equal((await readAll(response.body)).toString(), 'hello');
  end();
  await peer.close();
  const gone = setUpClient();
  await assert.rejects(gone.get(memberAt(peer.port, ['127.0.0.1', '127.0.0.2'])), { code: 'DIAL_REFUSED' });
  gone.end();
});

test('dial: only IP addresses and real ports are dialled', async () => {
  const peer = await scriptedPeer((socket) => {
    socket.write(answerText('hello'), 'latin1');
  });
  const { get, end } = setUpClient();
  await assert.rejects(get(memberAt(peer.port, ['localhost'])), { code: 'DIAL_REFUSED' });
  await assert.rejects(get(memberAt(peer.port, [])), { code: 'DIAL_REFUSED' });
  await assert.rejects(get(memberAt(70_000)), { code: 'DIAL_REFUSED' });
  assert.equal(peer.accepted(), 0);
  end();
  await peer.close();
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
const needsIpv6 = hasIpv6 ? {} : { skip: 'this machine has no IPv6 loopback' };

test('dial: IPv6', needsIpv6, async () => {
  const heads: string[] = [];
  const peer = await scriptedPeer((socket, head) => {
    heads.push(head);
    socket.write(answerText('hello'), 'latin1');
  }, '::1');
  const { get, end } = setUpClient();
  assert.equal((await readAll((await get(memberAt(peer.port, ['::1']))).body)).toString(), 'hello');
  assert.match(heads[0] ?? '', new RegExp(`\\r\\nhost: \\[::1\\]:${String(peer.port)}\\r\\n`));
  end();
  await peer.close();
});
