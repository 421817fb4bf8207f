import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { identify } from '@libp2p/identify';
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht';
import { peerIdFromMultihash } from '@libp2p/peer-id';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import type { Member, RecordBatch, RecordsHandler, RoutingKey } from '../../core/index.ts';
import { createFramedStream } from './framed-stream.ts';
import { createHalfMessages } from './half-messages.ts';
import { decodeKadMessage, encodeKadMessage, kadProtocol, kadTypes, multihashOf } from './kad-codec.ts';
import type { Libp2pNode } from './libp2p-node.ts';
import { compareDistance } from './peer-ids.ts';
import { createTestNodes, meeting, neverAborted, seenBy, staticBootstrap, until } from './testing/nodes.ts';
import type { TestNodes } from './testing/nodes.ts';

/** A node that has never heard of ours: js-libp2p's own Kademlia under Spegel's protocol id. */
async function spegelLike(context: TestContext) {
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({
        protocol: kadProtocol,
        clientMode: false,
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: true,
      }),
    },
  });
  context.after(() => node.stop());
  return { node, peerId: node.peerId.toString(), addresses: node.getMultiaddrs().map(String) };
}

type SpegelLike = Awaited<ReturnType<typeof spegelLike>>;

function nodesFor(context: TestContext): TestNodes {
  const nodes = createTestNodes();
  context.after(nodes.dispose);
  return nodes;
}

function keyOf(text: string): RoutingKey {
  return createHash('sha256').update(text).digest('hex');
}

function cidOf(key: RoutingKey): CID {
  return CID.createV1(0x55, Digest.decode(multihashOf(key)));
}

function batchOf(...keys: RoutingKey[]): RecordBatch {
  return {
    incarnation: 1,
    sequence: 1,
    complete: true,
    add: keys.map((key) => ({ key })),
    withdraw: ['00'.repeat(32)],
    ttlUs: 1e9,
  };
}

/** Keeps who said what, and answers with it. */
function softState(own: () => Member | undefined = () => undefined) {
  const holders = new Map<RoutingKey, Member[]>();
  const batches: { sender: Member; batch: RecordBatch }[] = [];
  const handler: RecordsHandler = {
    onBatch: (sender, batch) => {
      batches.push({ sender, batch });
      for (const { key } of batch.add) holders.set(key, [...(holders.get(key) ?? []), sender]);
    },
    onLookup: (_asker, key) => {
      const self = own();
      const found = holders.get(key) ?? (self === undefined ? [] : [self]);
      return { holders: found.map((member) => ({ member })), warming: false, closer: [] };
    },
  };
  return { handler, batches };
}

/** Waits until `node` routes to `other`. */
async function untilRouted({ node }: SpegelLike, other: { readonly peerId: string }): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    for await (const peer of node.peerRouting.getClosestPeers(new Uint8Array(32)))
      if (peer.id.toString() === other.peerId) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  throw new Error('never routed');
}

async function providersOf(node: SpegelLike['node'], key: RoutingKey) {
  const found = new Map<string, string[]>();
  for await (const provider of node.contentRouting.findProviders(cidOf(key), { signal: AbortSignal.timeout(4000) })) {
    found.set(provider.id.toString(), provider.multiaddrs.map(String));
  }
  return found;
}

test('kad: a Spegel node is a member with our own registry port and no incarnation', async (context) => {
  const nodes = nodesFor(context);
  const other = await spegelLike(context);
  const ours = await nodes.start({ registryPort: 5432, bootstrap: { kind: 'static', peers: other.addresses } });
  const member = await meeting(ours, other);
  assert.deepEqual(
    { ...member, position: undefined },
    {
      id: other.peerId,
      position: undefined,
      addresses: ['127.0.0.1'],
      registryPort: 5432,
      kind: 'spegel',
      zone: '',
      incarnation: 0,
      connected: true,
    },
  );
});

test('kad: what a Spegel node provides becomes a record of it alone, for as long as such a record holds', async (context) => {
  const nodes = nodesFor(context);
  const other = await spegelLike(context);
  const ours = await nodes.start({ bootstrap: { kind: 'static', peers: other.addresses } });
  const { handler, batches } = softState();
  ours.records.serve(handler);
  await meeting(ours, other);
  await untilRouted(other, ours);
  const key = keyOf('sha256:aa');
  await other.node.contentRouting.provide(cidOf(key));
  await until('the record is here', () => batches.length > 0);
  assert.equal(batches[0]?.sender.id, other.peerId);
  assert.deepEqual(batches[0]?.batch.add, [{ key }]);
  assert.equal(batches[0]?.batch.ttlUs, 19 * 60 * 1_000_000);
});

test('kad: ours find what a Spegel node holds by asking another one', async (context) => {
  const nodes = nodesFor(context);
  const [hub, holder] = [await spegelLike(context), await spegelLike(context)];
  await holder.node.dial(hub.node.getMultiaddrs());
  const ours = await nodes.start({ bootstrap: { kind: 'static', peers: hub.addresses } });
  const member = await meeting(ours, hub);
  await untilRouted(holder, hub);
  const key = keyOf('sha256:aa');
  await holder.node.contentRouting.provide(cidOf(key));
  const holders = async () =>
    (await ours.records.lookup(member, key, neverAborted())).holders.map(({ member: found }) => found.id);
  let found = await holders();
  for (let turn = 0; turn < 100 && found.length === 0; turn += 1) found = await holders();
  assert.deepEqual(found, [holder.peerId]);
  const nothing = await ours.records.lookup(member, keyOf('sha256:bb'), neverAborted());
  assert.deepEqual(nothing.holders, []);
  assert.deepEqual(
    nothing.closer
      .map(({ id }) => id)
      .toSorted()
      .includes(holder.peerId),
    true,
  );
});

test('kad: a Spegel node finds what ours hold, and what others of ours hold, each under exactly one address', async (context) => {
  const nodes = nodesFor(context);
  const other = await spegelLike(context);
  const first = await nodes.start({ bootstrap: { kind: 'static', peers: other.addresses } });
  const second = await nodes.start({ bootstrap: staticBootstrap(first) });
  const { handler } = softState(() => first.membership.self);
  first.records.serve(handler);
  await meeting(first, other);
  await untilRouted(other, first);
  const key = keyOf('docker.io/library/busybox:1.37.0');
  await second.records.send(await meeting(second, first), batchOf(key), neverAborted());
  const plain = (node: Libp2pNode) => node.addresses.map((address) => address.replace(/\/p2p\/.*/, ''));
  assert.deepEqual(await providersOf(other.node, key), new Map([[second.peerId, plain(second)]]));
  assert.deepEqual(await providersOf(other.node, keyOf('foobar')), new Map([[first.peerId, plain(first)]]));
});

test('kad: ours advertise to a Spegel node in one stream, and it keeps the records', async (context) => {
  const nodes = nodesFor(context);
  const other = await spegelLike(context);
  const ours = await nodes.start({ bootstrap: { kind: 'static', peers: other.addresses } });
  const member = await meeting(ours, other);
  const keys = Array.from({ length: 300 }, (_, number) => keyOf(String(number)));
  await ours.records.send(member, batchOf(...keys), neverAborted());
  const last = keys.at(-1) ?? '';
  const holders = async () =>
    (await ours.records.lookup(member, last, neverAborted())).holders.map(({ member: found }) => found.id);
  let found = await holders();
  for (let turn = 0; turn < 100 && found.length === 0; turn += 1) found = await holders();
  assert.deepEqual(found, [ours.peerId]);
});

test('kad: members that only a Spegel node knows are found through it', async (context) => {
  const nodes = nodesFor(context);
  const hub = await spegelLike(context);
  const leaf = await spegelLike(context);
  await leaf.node.dial(hub.node.getMultiaddrs());
  await untilRouted(hub, leaf);
  const ours = await nodes.start({ bootstrap: { kind: 'static', peers: hub.addresses } });
  assert.equal((await meeting(ours, leaf)).kind, 'spegel');
  const second = await nodes.start({ bootstrap: { kind: 'static', peers: hub.addresses } });
  await until('ours meet through it as ours', () => seenBy(second, ours)?.kind === 'peili');
});

test('kad: routing answers name the members nearest to a key, the asked node for its own id, and never the asker', async (context) => {
  const nodes = nodesFor(context);
  const [hub, other] = [await nodes.start(), await spegelLike(context)];
  const others = await Promise.all([1, 2, 3].map(() => nodes.start({ bootstrap: staticBootstrap(hub) })));
  for (const node of others) await meeting(hub, node);
  const connection = await other.node.dial(hub.addresses.map((address) => multiaddr(address)));
  await meeting(hub, other);
  const closerTo = async (key: Uint8Array): Promise<string[]> => {
    const stream = await connection.newStream(kadProtocol);
    const answer = Promise.withResolvers<string[]>();
    const framed = createFramedStream(stream, {
      messageMaxBytes: 100_000,
      halfMessages: createHalfMessages(100_000),
      pauseWhenFull: false,
      onMessage: (bytes) => {
        answer.resolve(
          decodeKadMessage(bytes).closer.map(({ id }) => peerIdFromMultihash(Digest.decode(id)).toString()),
        );
      },
      onEnd: (reason) => {
        answer.reject(reason ?? new Error('no answer'));
      },
    });
    framed.send(encodeKadMessage({ type: kadTypes.findNode, key, closer: [], providers: [] }));
    return answer.promise;
  };
  const key = Buffer.from('any key');
  const place = createHash('sha256').update(key).digest();
  const nearest = others
    .toSorted((a, b) => compareDistance(place, a.membership.self.position, b.membership.self.position))
    .map(({ peerId }) => peerId);
  assert.deepEqual(await closerTo(key), nearest);
  const own = await closerTo(connection.remotePeer.toMultihash().bytes);
  assert.deepEqual(own.toSorted(), [hub.peerId, ...nearest].toSorted());
});
