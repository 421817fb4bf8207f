import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventQueue, QueuedEvent } from './event-queue.ts';
import type { EventOwner } from './event-queue.ts';

const silent = (): void => undefined;

function drain(queue: EventQueue): number[] {
  const order: number[] = [];
  for (let event = queue.pop(); event !== undefined; event = queue.pop()) order.push(event.sequence);
  return order;
}

function ownerOf(): EventOwner {
  return { pending: 0, isPaused: false, hold: silent };
}

test('queue: events come out by time, then priority, then sequence; cancelled ones do not', () => {
  const event = fc.record({ atUs: fc.nat(20), priority: fc.integer({ min: -2, max: 2 }), isCancelled: fc.boolean() });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (specs) => {
      const queue = new EventQueue();
      const events = specs.map(
        ({ atUs, priority }, sequence) => new QueuedEvent(queue, atUs, priority, sequence, silent, undefined),
      );
      for (const each of events) queue.push(each);
      const isCancelled = (sequence: number): boolean => specs[sequence]?.isCancelled === true;
      for (const each of events) {
        if (!isCancelled(each.sequence)) continue;
        each.cancel();
        each.cancel();
      }
      const expected = events
        .filter(({ sequence }) => !isCancelled(sequence))
        .toSorted((a, b) => a.atUs - b.atUs || a.priority - b.priority || a.sequence - b.sequence)
        .map(({ sequence }) => sequence);
      assert.equal(queue.size, expected.length);
      assert.deepEqual(drain(queue), expected);
      assert.equal(queue.size, 0);
    }),
  );
});

test('queue: when most events are cancelled it lets go of them, and keeps the order of the rest', () => {
  const queue = new EventQueue();
  const owner = ownerOf();
  const events = Array.from({ length: 5_000 }, (_, sequence) => {
    const event = new QueuedEvent(queue, (sequence * 7_919) % 1_000, 0, sequence, silent, owner);
    queue.push(event);
    return event;
  });
  for (const event of events) if (event.sequence % 10 !== 0) event.cancel();
  assert.equal(queue.size, 500);
  assert.equal(owner.pending, 500);
  assert.ok(queue.heldEvents < 2_500, `${queue.heldEvents} events are held`);
  const expected = events
    .filter(({ sequence }) => sequence % 10 === 0)
    .toSorted((a, b) => a.atUs - b.atUs || a.sequence - b.sequence)
    .map(({ sequence }) => sequence);
  assert.deepEqual(drain(queue), expected);
  assert.equal(owner.pending, 0);
});

test('queue: what one owner has planned goes with it, and nothing else does', () => {
  const queue = new EventQueue();
  const [gone, stays] = [ownerOf(), ownerOf()];
  for (let sequence = 0; sequence < 20; sequence += 1)
    queue.push(new QueuedEvent(queue, 20 - sequence, 0, sequence, silent, sequence % 2 === 0 ? gone : stays));
  queue.cancelAllOf(gone);
  assert.deepEqual([gone.pending, stays.pending, queue.size], [0, 10, 10]);
  assert.deepEqual(drain(queue), [19, 17, 15, 13, 11, 9, 7, 5, 3, 1]);
});
