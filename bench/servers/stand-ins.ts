import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { defaultLimits, limitsWith, silentObserver } from '../../core/index.ts';
import type { Member, RecordBatch } from '../../core/index.ts';
import { createLibp2pNode, createRandom, createSystemClock } from '../../transports/index.ts';
import type { Libp2pNode } from '../../transports/index.ts';

/**
 * Members without a mirror: real libp2p hosts that speak the records protocol, take what they are told, and say once in an interval what a real member
 * of a cluster of this size would say to one node. They keep quiet among themselves; one of them, the introducer, knows them all and is where a node
 * begins.
 */
const [count = 399, keysEach = 22] = process.argv.slice(2).map(Number);
const hour = 3_600_000_000;
/** Answers come within this time of the first word from the node; then one each interval, at any moment of it. */
const firstAnswersMs = 15_000;
const intervalMs = defaultLimits.advertiseIntervalUs / 1000;
const startedAtOnce = 20;

const clock = createSystemClock();
const random = createRandom();
const progress = { told: 0, keysTold: 0, answered: 0, members: 0 };

function startMember(peers: readonly string[]): Promise<Libp2pNode> {
  const isIntroducer = peers.length > 0;
  // The introducer meets all others within seconds; the rest never asks anybody.
  const limits = limitsWith(isIntroducer ? { dnsIntervalUs: 200_000 } : { bootstrapRetryMinUs: hour });
  return createLibp2pNode(
    { clock, random, observer: silentObserver },
    {
      routerAddress: '127.0.0.1:0',
      registryPort: 1,
      zone: '',
      bootstrap: isIntroducer ? { kind: 'static', peers } : { kind: 'none' },
      limits,
    },
  );
}

function listen(node: Libp2pNode): void {
  const known = { sender: '', sequence: 0 };
  const keys = Array.from({ length: keysEach }, () => ({ key: randomBytes(32).toString('hex') }));
  const answer = async (sender: Member): Promise<void> => {
    known.sequence += 1;
    const { incarnation } = node.membership.self;
    const batch: RecordBatch = {
      incarnation,
      sequence: known.sequence,
      complete: true,
      add: keys,
      withdraw: [],
      ttlUs: defaultLimits.recordTtlUs,
      freeSlots: 256,
    };
    await node.records.send(sender, batch, new AbortController().signal).catch(() => undefined);
    progress.answered += 1;
  };
  const repeat = async (sender: Member, delayMs: number): Promise<void> => {
    await answer(sender);
    setTimeout(() => void repeat(sender, intervalMs), delayMs).unref();
  };
  node.records.serve({
    onBatch: (sender, batch) => {
      if (known.sender === sender.id) return;
      known.sender = sender.id;
      progress.told += 1;
      progress.keysTold += batch.add.length;
      setTimeout(() => void repeat(sender, Math.random() * intervalMs), Math.random() * firstAnswersMs).unref();
    },
    onLookup: () => ({ holders: [], warming: false, closer: [] }),
  });
}

const members: Libp2pNode[] = [];
while (members.length < count - 1) {
  const started = await Promise.all(
    Array.from({ length: Math.min(startedAtOnce, count - 1 - members.length) }, () => startMember([])),
  );
  members.push(...started);
}
for (const member of members) listen(member);
const introducer = await startMember(members.flatMap(({ addresses }) => addresses));
listen(introducer);

process.on('message', () => {
  const met = introducer.membership.members().length;
  process.send?.({ ...progress, members: met, introducer: introducer.addresses[0] ?? '' });
});
process.on('disconnect', () => {
  process.exit(0);
});
