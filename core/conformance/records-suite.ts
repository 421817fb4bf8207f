import { PeiliError } from '../errors.ts';
import type { LookupAnswer, Member, RecordBatch, RecordsHandler, RoutingKey } from '../ports/index.ts';
import { areAllAcquainted, memberById, pairOf } from './cluster-subject.ts';
import type { ClusterSubject, Pair } from './cluster-subject.ts';
import { abortedSignal, createHarness, neverAborted } from './harness.ts';
import type { Manifest, SuiteTools } from './harness.ts';

/** `stop`: the factory can stop a node. */
export type RecordsCapability = 'stop';

export interface RecordsSuiteOptions extends SuiteTools {
  readonly manifest: Manifest<RecordsCapability>;
  readonly factory: () => Promise<ClusterSubject>;
}

const digest = `sha256:${'4f'.repeat(32)}`;
const emptyAnswer: LookupAnswer = { holders: [], warming: false, closer: [] };

function keyOfNumber(number: number): RoutingKey {
  return number.toString(16).padStart(64, '0');
}

function batchOf(changes: Partial<RecordBatch>): RecordBatch {
  return { incarnation: 7, sequence: 1, complete: false, add: [], withdraw: [], ttlUs: 60_000_000, ...changes };
}

interface Heard extends RecordsHandler {
  readonly batches: { readonly sender: Member; readonly batch: RecordBatch }[];
  readonly askers: (Member | undefined)[];
}

function listening(answer: (key: RoutingKey) => LookupAnswer = () => emptyAnswer): Heard {
  const batches: Heard['batches'] = [];
  const askers: Heard['askers'] = [];
  return {
    batches,
    askers,
    onBatch: (sender, batch) => void batches.push({ sender, batch }),
    onLookup: (asker, key) => {
      askers.push(asker);
      return answer(key);
    },
  };
}

/** The laws of `Records`: what is said arrives as it was said, under the name of who said it. */
export function recordsSuite({ manifest, factory, ...tools }: RecordsSuiteOptions): void {
  const { assert, law, lawOf, settle, until, rejects } = createHarness(tools, 'records', manifest, factory);

  const acquainted = async ({ nodes }: ClusterSubject): Promise<Pair> => {
    await until('all know all', () => areAllAcquainted(nodes));
    const pair = pairOf(nodes);
    const { incarnation } = pair.to.membership.self;
    await until('incarnations are known', () => memberById(pair.from, pair.toMember.id)?.incarnation === incarnation);
    return pairOf(nodes);
  };

  law('a batch arrives as it was sent, under its sender', async (subject) => {
    const { from, to, toMember } = await acquainted(subject);
    const heard = listening();
    to.records.serve(heard);
    const batch = batchOf({
      sequence: 3,
      complete: true,
      add: [{ key: keyOfNumber(1) }, { key: keyOfNumber(2), tag: { digest, ageUs: 5_000_000 } }],
      withdraw: [keyOfNumber(3)],
      freeSlots: 12,
    });
    await settle(from.records.send(toMember, batch, neverAborted()));
    assert.equal(heard.batches.length, 1, 'it has been taken when send() resolves');
    assert.deepEqual(heard.batches[0]?.batch, batch);
    assert.equal(heard.batches[0]?.sender.id, from.membership.self.id);
  });

  law('what was not said stays unsaid', async (subject) => {
    const { from, to, toMember } = await acquainted(subject);
    const heard = listening();
    to.records.serve(heard);
    const batch = batchOf({});
    await settle(from.records.send(toMember, batch, neverAborted()));
    assert.deepEqual(heard.batches[0]?.batch, batch);
    assert.ok(
      heard.batches[0] !== undefined && !('freeSlots' in heard.batches[0].batch),
      'free slots are unknown, not 0',
    );
  });

  law('batches to one member arrive in order, each once', async (subject) => {
    const { from, to, toMember } = await acquainted(subject);
    const heard = listening();
    to.records.serve(heard);
    for (let sequence = 1; sequence <= 10; sequence += 1) {
      await settle(from.records.send(toMember, batchOf({ sequence }), neverAborted()));
    }
    assert.deepEqual(
      heard.batches.map(({ batch }) => batch.sequence),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
  });

  law('a batch of 3,000 keys arrives whole', async (subject) => {
    const { from, to, toMember } = await acquainted(subject);
    const heard = listening();
    to.records.serve(heard);
    const add = Array.from({ length: 3_000 }, (_, number) => ({ key: keyOfNumber(number) }));
    await settle(from.records.send(toMember, batchOf({ add }), neverAborted()));
    const arrived = heard.batches.flatMap(({ batch }) => batch.add.map(({ key }) => key));
    assert.deepEqual(
      arrived.toSorted(),
      add.map(({ key }) => key),
    );
  });

  law('an answer arrives as it was given', async (subject) => {
    const { from, to, toMember } = await acquainted(subject);
    const third = pairOf(subject.nodes, 1, 2).toMember;
    const own = to.membership.self;
    const heard = listening((key) =>
      key === keyOfNumber(1)
        ? {
            holders: [{ member: third, tag: { digest, ageUs: 9_000_000 }, freeSlots: 3 }, { member: own }],
            warming: true,
            closer: [],
          }
        : { ...emptyAnswer, closer: [third] },
    );
    to.records.serve(heard);
    const answer = await settle(from.records.lookup(toMember, keyOfNumber(1), neverAborted()));
    assert.equal(answer.warming, true);
    assert.deepEqual(
      answer.holders.map(({ member }) => member.id),
      [third.id, own.id],
    );
    assert.deepEqual(answer.holders[0]?.tag, { digest, ageUs: 9_000_000 });
    assert.equal(answer.holders[0]?.freeSlots, 3);
    assert.equal(answer.holders[1]?.freeSlots, undefined);
    assert.equal(answer.holders[0]?.member.registryPort, third.registryPort);
    const other = await settle(from.records.lookup(toMember, keyOfNumber(2), neverAborted()));
    assert.equal(other.warming, false);
    assert.deepEqual(other.holders, []);
    assert.deepEqual(
      other.closer.map(({ id }) => id),
      [third.id],
    );
    assert.equal(heard.askers[0]?.id, from.membership.self.id);
  });

  law('after a call the connection is there for the next one', async (subject) => {
    const { from, to, toMember } = await acquainted(subject);
    to.records.serve(listening());
    await settle(from.records.lookup(toMember, keyOfNumber(1), neverAborted()));
    assert.equal(from.records.isConnected(toMember), true);
  });

  law('32 lookups at once get each its own answer', async (subject) => {
    const { from, to, toMember } = await acquainted(subject);
    const member = to.membership.self;
    to.records.serve(listening((key) => ({ ...emptyAnswer, holders: [{ member, freeSlots: Number(`0x${key}`) }] })));
    const numbers = Array.from({ length: 32 }, (_, number) => number);
    const answers = await settle(
      Promise.all(numbers.map((number) => from.records.lookup(toMember, keyOfNumber(number), neverAborted()))),
    );
    assert.deepEqual(
      answers.map(({ holders }) => holders[0]?.freeSlots),
      numbers,
    );
  });

  law('both directions work, and all pairs', async (subject) => {
    await acquainted(subject);
    const heard = subject.nodes.map(({ records }) => {
      const handler = listening();
      records.serve(handler);
      return handler;
    });
    for (const [fromIndex, { records, membership }] of subject.nodes.entries()) {
      for (const [toIndex, handler] of heard.entries()) {
        if (fromIndex === toIndex) continue;
        await settle(records.send(pairOf(subject.nodes, fromIndex, toIndex).toMember, batchOf({}), neverAborted()));
        assert.equal(handler.batches.at(-1)?.sender.id, membership.self.id);
      }
    }
  });

  law('a member that refuses for its quota says so, or takes what it can; the next call works', async (subject) => {
    const { from, to, toMember } = await acquainted(subject);
    const refusing = {
      ...listening(),
      onBatch: () => {
        throw new PeiliError('QUOTA_EXCEEDED', 'too many records');
      },
    };
    const dispose = to.records.serve(refusing);
    const sent = from.records.send(toMember, batchOf({}), neverAborted());
    await settle(sent.catch(() => rejects(sent, 'QUOTA_EXCEEDED', 'MEMBER_UNREACHABLE')));
    dispose();
    const heard = listening();
    to.records.serve(heard);
    await settle(from.records.send(toMember, batchOf({ sequence: 2 }), neverAborted()));
    assert.equal(heard.batches.length, 1);
  });

  law('who no longer serves is not called', async (subject) => {
    const { from, to, toMember } = await acquainted(subject);
    const heard = listening();
    const dispose = to.records.serve(heard);
    dispose();
    dispose();
    const sent = from.records.send(toMember, batchOf({}), neverAborted());
    await settle(sent.catch(() => rejects(sent, 'MEMBER_UNREACHABLE')));
    assert.equal(heard.batches.length, 0);
  });

  law('a signal that has aborted already sends nothing', async (subject) => {
    const { from, to, toMember } = await acquainted(subject);
    const heard = listening();
    to.records.serve(heard);
    await rejects(from.records.send(toMember, batchOf({}), abortedSignal()), 'ABORTED');
    await rejects(from.records.lookup(toMember, keyOfNumber(1), abortedSignal()), 'ABORTED');
    assert.equal(heard.batches.length + heard.askers.length, 0);
  });

  lawOf('stop', 'a stopped member is MEMBER_UNREACHABLE', async (subject) => {
    const { from, toMember } = await acquainted(subject);
    if (subject.stop === undefined) throw new Error('the manifest promises what the factory does not have');
    await settle(subject.stop(1));
    await rejects(from.records.send(toMember, batchOf({}), neverAborted()), 'MEMBER_UNREACHABLE');
    await rejects(from.records.lookup(toMember, keyOfNumber(1), neverAborted()), 'MEMBER_UNREACHABLE');
    assert.equal(from.records.isConnected(toMember), false);
  });
}
