import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Stream } from '@libp2p/interface';
import { identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { errorCodeOf } from '../../core/index.ts';
import type { Limits, RecordBatch } from '../../core/index.ts';
import { endpointOf } from './endpoint.ts';
import { createFramedStream } from './framed-stream.ts';
import { createHalfMessages } from './half-messages.ts';
import { encodeKadMessage, kadProtocol, kadTypes, multihashOf } from './kad-codec.ts';
import { createPeerIds } from './peer-ids.ts';
import { decodeRecordsMessage, encodeRecordsMessage, recordsProtocol } from './records-codec.ts';
import type { RecordsMessage } from './records-codec.ts';
import { createTestNodes, meeting, neverAborted, seenBy, staticBootstrap, until } from './testing/nodes.ts';
import type { Libp2pNode } from './libp2p-node.ts';
import { createWireWriter } from './wire.ts';

const ids = createPeerIds(100);
const key = 'cd'.repeat(32);
const hello: RecordsMessage = {
  type: 'hello',
  hello: { registryPort: 5000, zone: '', incarnation: 1, version: '', endpoints: [{ host: '127.0.0.1', port: 1 }] },
};
const batch: RecordBatch = { incarnation: 1, sequence: 1, complete: false, add: [{ key }], withdraw: [], ttlUs: 1e9 };

/** A node under attack, a good one beside it, and an attacker with a connection. */
async function siege(context: TestContext, limits: Partial<Limits> = {}) {
  const nodes = createTestNodes();
  context.after(nodes.dispose);
  const victim = await nodes.start({}, {}, limits);
  const good = await nodes.start({ bootstrap: staticBootstrap(victim) });
  await meeting(victim, good);
  const heard: { readonly sender: string; readonly batch: RecordBatch }[] = [];
  victim.records.serve({
    onBatch: (sender, said) => void heard.push({ sender: sender.id, batch: said }),
    onLookup: () => ({ holders: [], warming: false, closer: [] }),
  });
  const attacker = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), ping: ping() },
  });
  context.after(() => attacker.stop());
  const connection = await attacker.dial(victim.addresses.map((address) => multiaddr(address)));
  const stillWorks = async (): Promise<void> => {
    const before = heard.filter(({ sender }) => sender === good.peerId).length;
    await good.records.send(await meeting(good, victim), batch, neverAborted());
    assert.equal(heard.filter(({ sender }) => sender === good.peerId).length, before + 1);
  };
  return { nodes, victim, good, heard, attacker, connection, stillWorks };
}

function isEnded(stream: Stream): boolean {
  return stream.status !== 'open' || stream.remoteWriteStatus === 'closed';
}

function framed(message: Uint8Array): Uint8Array {
  const writer = createWireWriter().bytes(0, message).finish();
  return writer.subarray(1);
}

test('hostile: garbage, oversize and a batch before hello end their stream, and nothing else', async (context) => {
  const { heard, connection, stillWorks } = await siege(context);
  const batchFirst = framed(encodeRecordsMessage({ type: 'batch', id: 1, batch }, ids));
  const attacks = [
    Uint8Array.of(3, 0xff, 0xff, 0xff),
    new Uint8Array(64).fill(0xff),
    Uint8Array.of(0xff, 0xff, 0xff, 0x7f),
    batchFirst,
  ];
  for (const protocol of [recordsProtocol, kadProtocol]) {
    for (const bytes of attacks) {
      if (protocol === kadProtocol && bytes === batchFirst) continue;
      const stream = await connection.newStream(protocol);
      stream.send(bytes);
      await until('the stream has ended', () => isEnded(stream));
    }
  }
  await stillWorks();
  assert.ok(heard.every(({ sender }) => sender !== connection.remotePeer.toString()));
});

test('hostile: half a message waits, and is forgotten with its stream', async (context) => {
  const { heard, good, connection, stillWorks } = await siege(context);
  const stream = await connection.newStream(recordsProtocol);
  stream.send(Uint8Array.of(200, 1, 8));
  await stillWorks();
  stream.abort(new Error('gone'));
  await stillWorks();
  assert.ok(heard.every(({ sender }) => sender === good.peerId));
});

/** A message of `size` bytes but for its last byte. */
function half(size: number): Uint8Array {
  return framed(new Uint8Array(size)).subarray(0, -1);
}

test('hostile: half messages hold no more memory than all streams may, whatever number of them is opened; beyond it streams are reset', async (context) => {
  const { connection, stillWorks } = await siege(context, { halfMessagesMaxBytes: 2_500 });
  const streams: Stream[] = [];
  for (let count = 0; count < 4; count += 1) {
    const stream = await connection.newStream(recordsProtocol);
    stream.send(half(1_000));
    streams.push(stream);
  }
  await until('two streams are reset', () => streams.filter(isEnded).length === 2);
  await stillWorks();
  for (const stream of streams) stream.abort(new Error('gone'));
  await until('what they held is free again, and a stream too', () => connection.streams.every(isEnded));
  const stream = await connection.newStream(recordsProtocol);
  stream.send(half(1_000));
  await stillWorks();
  assert.equal(isEnded(stream), false);
});

test('hostile: a connection gets four streams of each protocol and no more', async (context) => {
  const { connection, stillWorks } = await siege(context);
  for (const protocol of [recordsProtocol, kadProtocol]) {
    const streams: Stream[] = [];
    for (let count = 0; count < 7; count += 1) {
      const stream = await connection.newStream(protocol);
      if (!isEnded(stream)) stream.send(half(100));
      streams.push(stream);
    }
    await until('three are reset', () => streams.filter(isEnded).length === 3);
  }
  await stillWorks();
});

test('hostile: a Kademlia message above 64 KiB is not waited for', async (context) => {
  const { connection, stillWorks } = await siege(context);
  const [fits, tooLong] = [await connection.newStream(kadProtocol), await connection.newStream(kadProtocol)];
  fits.send(half(64 * 1024).subarray(0, 10));
  tooLong.send(half(64 * 1024 + 1).subarray(0, 10));
  await until('the longer one is reset', () => isEnded(tooLong));
  await stillWorks();
  assert.equal(isEnded(fits), false);
});

test('hostile: a message of a later version is skipped, and the next one is answered', async (context) => {
  const { connection } = await siege(context);
  const stream = await connection.newStream(recordsProtocol);
  const answers: (RecordsMessage | undefined)[] = [];
  const client = createFramedStream(stream, {
    messageMaxBytes: 10_000,
    halfMessages: createHalfMessages(10_000),
    pauseWhenFull: false,
    onMessage: (bytes) => void answers.push(decodeRecordsMessage(bytes, ids)),
    onEnd: () => undefined,
  });
  client.send(createWireWriter().varint(1, 77).varint(2, 5).finish());
  client.send(encodeRecordsMessage(hello, ids));
  client.send(encodeRecordsMessage({ type: 'lookup', id: 6, key }, ids));
  await until('both are answered', () => answers.length === 2);
  assert.deepEqual(
    answers.map((answer) => answer?.type),
    ['hello', 'answer'],
  );
});

test('hostile: a record speaks for its sender, whoever a message names', async (context) => {
  const { victim, good, heard, attacker, connection } = await siege(context);
  const stream = await connection.newStream(kadProtocol);
  const add = (id: string): Uint8Array =>
    framed(
      encodeKadMessage({
        type: kadTypes.addProvider,
        key: multihashOf(key),
        closer: [],
        providers: [{ id: ids.toBytes(id), addresses: [multiaddr('/ip4/127.0.0.1/tcp/1').bytes] }],
      }),
    );
  stream.send(add(good.peerId));
  stream.send(add(attacker.peerId.toString()));
  await until('its own record is here', () => heard.length > 0);
  assert.deepEqual(
    heard.map(({ sender }) => sender),
    [attacker.peerId.toString()],
  );
  assert.equal(seenBy(victim, good)?.addresses[0], '127.0.0.1');
});

test('hostile: an address that cannot be passed on does not spoil the answers that would name it', async (context) => {
  const { attacker, connection } = await siege(context);
  for (const address of ['/memory/%3A5001', '/memory/[fe80::1%25eth0]:5001']) {
    const stream = await connection.newStream(kadProtocol);
    const received: number[] = [];
    stream.addEventListener('message', ({ data }) => void received.push(data.byteLength));
    const addresses = [multiaddr(address).bytes];
    const sender = { id: ids.toBytes(attacker.peerId.toString()), addresses };
    const message = { type: kadTypes.addProvider, key: multihashOf(key), closer: [], providers: [sender] };
    stream.send(framed(encodeKadMessage(message)));
    stream.send(framed(encodeKadMessage({ ...message, type: kadTypes.findNode, providers: [] })));
    await until('it is answered, or the stream has ended', () => received.length > 0 || isEnded(stream));
    assert.ok(received.length > 0, address);
  }
});

test('hostile: announcing the address of another member does not push it out', async (context) => {
  const { victim, good, attacker, connection } = await siege(context);
  const [, , , , port] = good.addresses[0]?.split('/') ?? [];
  const stream = await connection.newStream(recordsProtocol);
  const endpoints = [{ host: '127.0.0.1', port: Number(port) }];
  stream.send(framed(encodeRecordsMessage({ ...hello, hello: { ...hello.hello, endpoints } }, ids)));
  await until('the attacker is met', () => seenBy(victim, { peerId: attacker.peerId.toString() }) !== undefined);
  assert.ok(seenBy(victim, good) !== undefined);
});

test('hostile: a member that answers with garbage is MEMBER_UNREACHABLE or RECORDS_INVALID, and one that says nothing too', async (context) => {
  const { nodes, attacker } = await siege(context);
  const behaviour = { answer: (_stream: Stream): void => undefined };
  await attacker.handle(recordsProtocol, (stream) => {
    behaviour.answer(stream);
  });
  const bootstrap = { kind: 'static', peers: attacker.getMultiaddrs().map(String) } as const;
  behaviour.answer = (stream) => {
    stream.send(framed(encodeRecordsMessage(hello, ids)));
    stream.addEventListener('message', () => {
      if (behaviour.answer !== mute) stream.send(new Uint8Array(20).fill(0xff));
    });
  };
  const node = await nodes.start({ bootstrap }, {}, { memberDialTimeoutUs: 200_000 });
  const ask = async (asker: Libp2pNode): Promise<void> => {
    const member = await meeting(asker, { peerId: attacker.peerId.toString() });
    await assert.rejects(asker.records.lookup(member, key, neverAborted()), (thrown) =>
      ['MEMBER_UNREACHABLE', 'RECORDS_INVALID'].includes(errorCodeOf(thrown) ?? ''),
    );
  };
  const mute = (): void => undefined;
  await ask(node);
  behaviour.answer = mute;
  await ask(node);
});

test('hostile: who was asked and says nothing for too long loses its connection, so that the next question finds out', async (context) => {
  const { nodes, attacker } = await siege(context);
  const endpoints = attacker.getMultiaddrs().flatMap((address) => endpointOf(address) ?? []);
  await attacker.handle(recordsProtocol, (stream) => {
    stream.send(framed(encodeRecordsMessage({ ...hello, hello: { ...hello.hello, endpoints } }, ids)));
  });
  const connections = new Set<string>();
  attacker.addEventListener('connection:open', ({ detail }) => void connections.add(detail.id));
  const bootstrap = { kind: 'static', peers: attacker.getMultiaddrs().map(String) } as const;
  const node = await nodes.start({ bootstrap }, {}, { recordsSendTimeoutUs: 30_000, dnsIntervalUs: 3_600_000_000 });
  const member = await meeting(node, { peerId: attacker.peerId.toString() });
  const before = connections.size;
  for (let turn = 0; turn < 2; turn += 1) {
    const isAborted = (thrown: unknown): boolean => errorCodeOf(thrown) === 'ABORTED';
    await assert.rejects(node.records.lookup(member, key, AbortSignal.timeout(60)), isAborted);
  }
  await until('there is a new connection', () => connections.size > before);
});

test('hostile: what is not libp2p is hung up on', async (context) => {
  const { victim, stillWorks } = await siege(context);
  const [, , host, , port] = victim.addresses[0]?.split('/') ?? [];
  const socket = connect(Number(port), host);
  context.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write('GET /v2/ HTTP/1.1\r\n\r\n');
  await stillWorks();
});
