import assert from 'node:assert/strict';
import { createHash, createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import type { Member, RecordBatch } from '../../core/index.ts';
import { decodeKadMessage, kadProtocol, kadTypes } from './kad-codec.ts';
import type { KadPeer } from './kad-codec.ts';
import { endpointOfBytes, endpointText } from './endpoint.ts';
import type { Libp2pNode } from './libp2p-node.ts';
import { createPeerIds } from './peer-ids.ts';
import { createTestNodes, meeting, until } from './testing/nodes.ts';
import {
  framedHex,
  recordedIds,
  recordedReleases,
  recordedSeeds,
  recordedTag,
  startRelease,
} from './testing/spegel-releases.ts';
import type { RecordedRelease, ReleaseNode } from './testing/spegel-releases.ts';

const ids = createPeerIds(16);
const key = createHash('sha256').update(recordedTag).digest('hex');

/** One of ours with the recorded identity, whom a Spegel node of that release has dialled. */
async function pairOf(
  context: TestContext,
  release: RecordedRelease,
  seed: number = recordedSeeds.first,
  answer: (message: string) => string | undefined = () => undefined,
): Promise<{ ours: Libp2pNode; theirs: ReleaseNode; member: Member }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'peili-release-'));
  const nodes = createTestNodes();
  const der = Buffer.from(`302e020100300506032b657004220420${'11'.repeat(32)}`, 'hex');
  const pem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' });
  await writeFile(join(dataDir, 'private.key'), pem, { mode: 0o600 });
  const ours = await nodes.start({ dataDir, registryPort: 5432 });
  const theirs = await startRelease(release, seed, answer);
  context.after(async () => {
    await nodes.dispose();
    await theirs.node.stop();
    await rm(dataDir, { recursive: true });
  });
  assert.equal(ours.peerId, recordedIds.ours);
  await theirs.node.dial(ours.addresses.map((address) => multiaddr(address)));
  return { ours, theirs, member: await meeting(ours, { peerId: theirs.node.peerId.toString() }) };
}

/** Sends messages on one stream, and waits for so many answers. */
async function exchange({ node }: ReleaseNode, messages: readonly string[], answers: number): Promise<string[]> {
  const [connection] = node.getConnections();
  const stream = await connection?.newStream(kadProtocol);
  assert.ok(stream);
  const heard: string[] = [];
  const framed = framedHex(stream, (message) => void heard.push(message));
  for (const message of messages) framed.send(Buffer.from(message, 'hex'));
  await until('all is answered', () => heard.length >= answers);
  framed.close();
  return heard;
}

/** `id at host:port`, of each peer of an answer. */
function named(peers: readonly KadPeer[]): string[] {
  return peers.map(({ id, addresses }) => {
    const places = addresses.flatMap((address) => endpointOfBytes(address) ?? []).map(endpointText);
    return `${ids.toText(id)} at ${places.join(' and ')}`;
  });
}

for (const release of recordedReleases) {
  const { version, asks, answers } = release;

  test(`spegel ${version}: what identify says of it makes it a member of its kind, at its address and our registry port`, async (context) => {
    const { member } = await pairOf(context, release);
    assert.deepEqual(
      [member.id, member.kind, member.addresses, member.registryPort, member.incarnation, member.connected],
      [recordedIds.first, 'spegel', ['10.88.0.11'], 5432, 0, true],
    );
  });

  test(`spegel ${version}: what it asks is answered so that it routes to us and finds what we hold`, async (context) => {
    const { ours, theirs } = await pairOf(context, release);
    const place = ours.addresses.map((address) => endpointText(endpointOfBytes(multiaddr(address).bytes)!));
    assert.equal(place.length, 1);
    const self = `${ours.peerId} at ${place[0]!}`;
    ours.records.serve({
      onBatch: () => undefined,
      onLookup: (_asker, asked) => ({
        holders: asked === key ? [{ member: ours.membership.self }] : [],
        warming: false,
        closer: [],
      }),
    });
    const heard = await exchange(theirs, [asks.itself, asks.place, asks.holders], 3);
    const [itself, nearby, holders] = heard.map((message) => decodeKadMessage(Buffer.from(message, 'hex')));
    assert.deepEqual([itself?.type, named(itself?.closer ?? [])], [kadTypes.findNode, [self]]);
    assert.deepEqual([nearby?.type, named(nearby?.closer ?? [])], [kadTypes.findNode, []]);
    assert.deepEqual([holders?.type, named(holders?.providers ?? [])], [kadTypes.getProviders, [self]]);
    assert.deepEqual(
      [itself, nearby, holders].map((answer) => Buffer.from(answer?.key ?? []).toString('hex')),
      [asks.itself, asks.place, asks.holders].map((asked) =>
        Buffer.from(decodeKadMessage(Buffer.from(asked, 'hex')).key).toString('hex'),
      ),
    );
  });

  if (asks.provides !== undefined) {
    const provides = asks.provides;
    test(`spegel ${version}: what it provides is a record of it, and of nobody who repeats it`, async (context) => {
      for (const [seed, senders] of [
        [recordedSeeds.second, []],
        [recordedSeeds.first, [recordedIds.first]],
      ] as const) {
        const { ours, theirs } = await pairOf(context, release, seed);
        const batches: { sender: Member; batch: RecordBatch }[] = [];
        ours.records.serve({
          onBatch: (sender, batch) => void batches.push({ sender, batch }),
          onLookup: () => ({ holders: [], warming: false, closer: [] }),
        });
        // A question behind it: when that is answered, the message before it has been taken.
        await exchange(theirs, [provides, asks.holders], 1);
        assert.deepEqual(
          batches.map(({ sender }) => sender.id),
          senders,
        );
        for (const { batch } of batches) {
          assert.deepEqual(batch.add, [{ key: provides.slice(12, 76) }]);
          assert.equal(batch.complete, false);
        }
      }
    });
  }

  test(`spegel ${version}: it is asked in the bytes that it was asked in, and its answers name holders and members`, async (context) => {
    const question = asks.holders.slice(0, -4);
    const scripts = {
      first: (message: string) => (message === question ? answers.toHoldersByFirst : undefined),
      second: (message: string) => (message === question ? answers.toHoldersBySecond : undefined),
    };
    const byFirst = await pairOf(context, release, recordedSeeds.first, scripts.first);
    const told = await byFirst.ours.records.lookup(byFirst.member, key, AbortSignal.timeout(2000));
    assert.deepEqual(
      told.holders.map(({ member }) => [member.id, member.addresses, member.registryPort]),
      [[recordedIds.first, ['10.88.0.11'], 5432]],
    );
    assert.deepEqual(
      told.closer.map(({ id, addresses, kind }) => [id, addresses, kind]),
      [[recordedIds.second, ['10.88.0.13'], 'spegel']],
    );
    assert.equal(byFirst.theirs.heard.includes(question), true);

    const bySecond = await pairOf(context, release, recordedSeeds.second, scripts.second);
    const hinted = await bySecond.ours.records.lookup(bySecond.member, key, AbortSignal.timeout(2000));
    const isKnownToOthers = answers.toHoldersBySecond.includes('4a34');
    assert.deepEqual(
      hinted.holders.map(({ member }) => [member.id, member.addresses, member.registryPort]),
      isKnownToOthers ? [[recordedIds.first, ['10.88.0.11'], 5432]] : [],
    );
    assert.deepEqual(
      hinted.closer.map(({ id }) => id),
      [recordedIds.first],
    );
  });

  test(`spegel ${version}: its answer to a question for nodes names the other one at one address`, () => {
    const { closer } = decodeKadMessage(Buffer.from(answers.toNodes, 'hex'));
    assert.equal(named(closer).at(-1), `${recordedIds.second} at 10.88.0.13:5001`);
  });
}
