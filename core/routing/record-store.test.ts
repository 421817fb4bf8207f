import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limitsWith } from '../limits.ts';
import type { Limits } from '../limits.ts';
import type { Member, RecordBatch, RoutingKey } from '../ports/index.ts';
import { memberOf } from '../testing/memory-cluster.ts';
import { createSeededRandom } from '../testing/seeded-random.ts';
import { RecordStore } from './record-store.ts';

const second = 1_000_000;
const self = memberOf('self');
const asker = memberOf('asker');
const [alice, bob] = [memberOf('alice'), memberOf('bob')];
const keyOf = (index: number): RoutingKey => index.toString(16).padStart(64, '0');
const [k1, k2, k3] = [keyOf(1), keyOf(2), keyOf(3)];
const digest = `sha256:${'a'.repeat(64)}`;

const storeWith = (limits: Partial<Limits> = {}): RecordStore =>
  new RecordStore(self, createSeededRandom(1), limitsWith(limits), 0);

interface Said extends Partial<Omit<RecordBatch, 'add'>> {
  readonly add?: readonly RoutingKey[];
}
const batch = ({ add = [], ...rest }: Said): RecordBatch => ({
  incarnation: 1,
  sequence: 1,
  complete: false,
  withdraw: [],
  ttlUs: 1_200 * second,
  add: add.map((key) => ({ key })),
  ...rest,
});

const idsOf = (store: RecordStore, key: RoutingKey, nowUs = 0, who: Member | undefined = asker): string[] =>
  store
    .holders(key, who, undefined, nowUs)
    .map(({ member }) => member.id)
    .sort();

test('records: what a member says is given to others, under its own name', () => {
  const store = storeWith();
  store.take(alice, batch({ add: [k1, k2] }), 0);
  store.take(bob, batch({ add: [k1] }), 0);
  assert.deepEqual(idsOf(store, k1), ['alice', 'bob']);
  assert.deepEqual(idsOf(store, k2), ['alice']);
  assert.deepEqual(idsOf(store, k3), []);
  assert.deepEqual(idsOf(store, k1, 0, alice), ['bob'], 'nobody is told of itself');
});

test('records: a record ends with its TTL, never later than the limit, and leaves nothing behind', () => {
  const store = storeWith({ recordTtlUs: 10 * second });
  store.take(alice, batch({ add: [k1], ttlUs: 5 * second }), 0);
  store.take(bob, batch({ add: [k1], ttlUs: 5_000 * second }), 0);
  assert.deepEqual(idsOf(store, k1, 5 * second - 1), ['alice', 'bob']);
  assert.deepEqual(idsOf(store, k1, 5 * second), ['bob']);
  assert.deepEqual(idsOf(store, k1, 10 * second), []);
  assert.deepEqual(store.counts(10 * second), { keys: 0, records: 0, senders: 0 });
});

test('records: saying it again makes it live on', () => {
  const store = storeWith();
  store.take(alice, batch({ add: [k1], sequence: 1, ttlUs: 10 }), 0);
  store.take(alice, batch({ add: [k1], sequence: 2, ttlUs: 10 }), 5);
  assert.deepEqual(idsOf(store, k1, 14), ['alice']);
});

test('records: a withdrawal is remembered, so that a late older addition does not bring the record back', () => {
  const store = storeWith({ tombstoneUs: 60 * second });
  store.take(alice, batch({ withdraw: [k1], sequence: 5 }), 0);
  store.take(alice, batch({ add: [k1, k2], sequence: 4 }), 1);
  assert.deepEqual(idsOf(store, k1), [], 'the withdrawn key');
  assert.deepEqual(idsOf(store, k2), ['alice'], 'key by key: the other one is news');
  store.take(alice, batch({ add: [k1], sequence: 6 }), 2);
  assert.deepEqual(idsOf(store, k1), ['alice'], 'a newer addition counts');
  store.take(alice, batch({ withdraw: [k1], sequence: 3 }), 3);
  assert.deepEqual(idsOf(store, k1), ['alice'], 'an older withdrawal does not');
});

test('records: a complete batch makes void what was said before it, however late that arrives', () => {
  const store = storeWith();
  store.take(alice, batch({ add: [k1, k2], sequence: 1 }), 0);
  store.take(alice, batch({ add: [k3], sequence: 8 }), 0);
  store.take(alice, batch({ add: [k2], sequence: 7, complete: true }), 0);
  store.take(alice, batch({ add: [k1], sequence: 6 }), 0);
  assert.deepEqual(
    [k1, k2, k3].map((key) => idsOf(store, key)),
    [[], ['alice'], ['alice']],
  );
  assert.equal(store.counts(0).records, 2);
});

test('records: a new incarnation forgets the old one, and the old one is not heard any more', () => {
  const store = storeWith();
  store.take(alice, batch({ add: [k1], incarnation: 4, sequence: 9 }), 0);
  store.take(alice, batch({ add: [k2], incarnation: 5, sequence: 1 }), 0);
  store.take(alice, batch({ add: [k3], incarnation: 4, sequence: 10 }), 0);
  assert.deepEqual(
    [k1, k2, k3].map((key) => idsOf(store, key)),
    [[], ['alice'], []],
  );
});

test('records: a member whose wall clock stepped back is believed, since it greeted with that incarnation itself', () => {
  const store = storeWith();
  store.take(memberOf('alice', {}, 9), batch({ add: [k1], incarnation: 9, sequence: 7 }), 0);
  const restarted = memberOf('alice', {}, 4);
  store.take(restarted, batch({ add: [k2], incarnation: 4, sequence: 1, complete: true }), 0);
  assert.deepEqual([idsOf(store, k1), idsOf(store, k2)], [[], ['alice']]);
  store.take(restarted, batch({ add: [k3], incarnation: 3, sequence: 2 }), 0);
  assert.deepEqual(idsOf(store, k3), [], 'an older life than both is not heard');
});

test('records: a Spegel member only adds, in incarnation 0', () => {
  const store = storeWith();
  const spegel = memberOf('spegel', { kind: 'spegel' });
  for (const key of [k1, k2]) store.take(spegel, batch({ add: [key], incarnation: 0, sequence: 0 }), 0);
  assert.deepEqual(
    [k1, k2].map((key) => idsOf(store, key)),
    [['spegel'], ['spegel']],
  );
});

test('records: beyond its quota a sender is refused, and keeps what fitted; others are not touched', () => {
  const store = storeWith({ recordsPerSenderMax: 2 });
  assert.throws(() => store.take(alice, batch({ add: [k1, k2, k3] }), 0), { code: 'QUOTA_EXCEEDED' });
  assert.deepEqual(
    [k1, k2, k3].map((key) => idsOf(store, key)),
    [['alice'], ['alice'], []],
  );
  store.take(alice, batch({ add: [k1], sequence: 2 }), 0);
  store.take(bob, batch({ add: [k3] }), 0);
  assert.deepEqual(idsOf(store, k3), ['bob']);
  store.take(alice, batch({ add: [k3], complete: true, sequence: 3 }), 0);
  assert.deepEqual(idsOf(store, k3), ['alice', 'bob'], 'what it says instead has room');
});

test('records: there is a quota for all together, and for senders', () => {
  const store = storeWith({ recordsMax: 2, membersMax: 2 });
  store.take(alice, batch({ add: [k1] }), 0);
  assert.throws(() => store.take(bob, batch({ add: [k2, k3] }), 0), { code: 'QUOTA_EXCEEDED' });
  assert.equal(store.counts(0).records, 2);
  assert.throws(() => store.take(memberOf('carol'), batch({}), 0), { code: 'QUOTA_EXCEEDED' });
});

test('records: withdrawals of what was never added take no room without bound', () => {
  const store = storeWith({ recordsPerSenderMax: 10 });
  for (let index = 0; index < 100; index += 1) {
    store.take(alice, batch({ withdraw: [keyOf(index)], sequence: 100 + index }), 0);
  }
  store.take(alice, batch({ add: [keyOf(99)], sequence: 50 }), 0);
  assert.deepEqual(idsOf(store, keyOf(99)), [], 'and are remembered all the same');
  store.take(alice, batch({ add: [k1], sequence: 300 }), 0);
  assert.deepEqual(idsOf(store, k1), ['alice']);
});

test('records: what is out of shape changes nothing', () => {
  const store = storeWith();
  const bad: readonly Partial<RecordBatch>[] = [
    { sequence: NaN },
    { incarnation: 1.5 },
    { ttlUs: Infinity },
    { freeSlots: -1 },
    { withdraw: ['k'] },
    { add: [{ key: k1 }, { key: 'x'.repeat(64) }] },
    { add: [{ key: k1, tag: { digest, ageUs: -5 } }] },
  ];
  for (const changes of bad) {
    assert.throws(() => store.take(alice, { ...batch({ add: [k1] }), ...changes }, 0), { code: 'RECORDS_INVALID' });
  }
  assert.deepEqual(store.counts(0), { keys: 0, records: 0, senders: 0 });
});

test('records: a tag carries its digest and an age that grows while it lies here', () => {
  const store = storeWith();
  const add = [{ key: k1, tag: { digest, ageUs: 3 * second } }];
  store.take(alice, { ...batch({}), add }, 10 * second);
  const [holder] = store.holders(k1, asker, undefined, 14 * second);
  assert.deepEqual(holder?.tag, { digest, ageUs: 7 * second });
});

test('records: a node answers for its own content without a TTL, until it is gone', () => {
  const store = storeWith();
  store.setOwn(k1, undefined, 0);
  store.take(alice, batch({ add: [k1] }), 0);
  const [first] = store.holders(k1, asker, 7, 10_000 * second);
  assert.deepEqual([first?.member.id, first?.freeSlots], ['self', 7]);
  assert.deepEqual(idsOf(store, k1, 0, self), ['alice']);
  store.removeOwn(k1);
  assert.deepEqual(idsOf(store, k1), ['alice']);
  store.setOwn(k2, undefined, 0);
  store.clearOwn();
  assert.deepEqual(idsOf(store, k2), []);
});

test('answers: at most so many holders, the zone first, then the freest, chance among equals', () => {
  const store = storeWith({ holdersPerAnswerMax: 4 });
  const say = (id: string, zone: string, freeSlots: number | undefined): void => {
    const said = batch({ add: [k1], ...(freeSlots === undefined ? {} : { freeSlots }) });
    store.take(memberOf(id, { zone }), said, 0);
  };
  say('near-full', 'a', 0);
  say('near-free', 'a', 100);
  say('far-some', 'b', 8);
  say('far-unknown', 'b', undefined);
  for (const index of [1, 2, 3, 4]) say(`far-free-${index}`, 'b', 200 + index);
  const answer = (): string[] =>
    store.holders(k1, memberOf('asker', { zone: 'a' }), undefined, 0).map(({ member }) => member.id);
  assert.deepEqual(answer().slice(0, 2), ['near-free', 'near-full']);
  assert.equal(answer().length, 4);
  const seen = new Set(Array.from({ length: 40 }, answer).flatMap((ids) => ids.slice(2)));
  assert.deepEqual([...seen].sort(), ['far-free-1', 'far-free-2', 'far-free-3', 'far-free-4']);
});

test('records: in whatever order and however often the batches of a sender arrive, the newest word on each key stands', () => {
  const said = fc.record({
    complete: fc.boolean(),
    add: fc.uniqueArray(fc.nat(3), { maxLength: 3 }),
    withdraw: fc.uniqueArray(fc.nat(3), { maxLength: 3 }),
  });
  const script = fc.array(said, { minLength: 1, maxLength: 6 }).chain((batches) =>
    fc.record({
      batches: fc.constant(batches),
      arrivals: fc
        .array(fc.nat(batches.length - 1), { maxLength: 4 })
        .chain((again) =>
          fc.shuffledSubarray([...batches.keys(), ...again], { minLength: batches.length + again.length }),
        ),
    }),
  );
  fc.assert(
    fc.property(script, ({ batches, arrivals }) => {
      const store = storeWith();
      for (const index of arrivals) {
        const { complete, add, withdraw } = batches[index]!;
        const gone = withdraw.filter((key) => !add.includes(key)).map(keyOf);
        store.take(alice, batch({ complete, add: add.map(keyOf), withdraw: gone, sequence: index }), index);
      }
      const held = new Set<number>();
      for (const { complete, add, withdraw } of batches) {
        if (complete) held.clear();
        for (const key of withdraw) held.delete(key);
        for (const key of add) held.add(key);
      }
      for (const key of [0, 1, 2, 3]) assert.deepEqual(idsOf(store, keyOf(key)), held.has(key) ? ['alice'] : []);
      assert.equal(store.counts(0).records, held.size);
    }),
    { numRuns: 300 },
  );
});
