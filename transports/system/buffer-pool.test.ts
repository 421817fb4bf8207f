import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { errorCodeOf } from '../../core/index.ts';
import { createBufferPool } from './buffer-pool.ts';
import type { BufferLease } from './buffer-pool.ts';

const limits = { bufferBudgetBytes: 1 << 20, bufferMaxBytes: 1 << 16, bufferMinBytes: 1 << 12 };

test('buffer pool: a lone body gets buffers of the largest size, a small one no more than it asked for', () => {
  const pool = createBufferPool(limits);
  assert.equal(pool.lease(1 << 30, 2).buffer(1).byteLength, 1 << 16);
  assert.equal(pool.lease(5000).buffer().byteLength, 8192);
  assert.equal(pool.lease(1).buffer().byteLength, 1 << 12);
});

test('buffer pool: buffers shrink with the number of leases, and grow again', () => {
  const pool = createBufferPool(limits);
  const first = pool.lease(1 << 20, 2);
  const others = Array.from({ length: 31 }, () => pool.lease(1 << 20, 2));
  assert.equal(first.buffer(0).byteLength, 1 << 12);
  for (const other of others) other.release();
  assert.equal(first.buffer(0).byteLength, 1 << 16);
  first.release();
  first.release();
  assert.equal(pool.pending(), 0);
  assert.equal(pool.leasedBytes(), 0);
});

test('buffer pool: a full budget refuses the next lease and takes nothing for it', () => {
  const pool = createBufferPool({ ...limits, bufferMaxBytes: 1 << 12 });
  const leases = Array.from({ length: 128 }, () => pool.lease(1 << 12, 2));
  assert.throws(
    () => pool.lease(1),
    (error) => errorCodeOf(error) === 'OVERLOADED',
  );
  assert.equal(pool.leasedBytes(), 1 << 20);
  leases[3]?.release();
  assert.throws(
    () => pool.lease(1, 3),
    (error) => errorCodeOf(error) === 'OVERLOADED',
  );
  assert.equal(pool.leasedBytes(), (1 << 20) - 2 * (1 << 12));
  pool.lease(1 << 12, 2);
  assert.equal(pool.pending(), 128);
});

test('buffer pool: never more than the budget, never one byte in two leases, whatever comes and goes', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('lease' as const),
      bytes: fc.integer({ min: 1, max: 1 << 17 }),
      count: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({ kind: fc.constant('release' as const), which: fc.nat(40) }),
    fc.record({ kind: fc.constant('use' as const), which: fc.nat(40) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const pool = createBufferPool({ bufferBudgetBytes: 1 << 17, bufferMaxBytes: 1 << 14, bufferMinBytes: 1 << 10 });
      const held: { lease: BufferLease; buffers: Uint8Array[] }[] = [];
      for (const one of steps) {
        if (one.kind === 'lease') {
          try {
            const lease = pool.lease(one.bytes, one.count);
            held.push({ lease, buffers: Array.from({ length: one.count }, (_, slot) => lease.buffer(slot)) });
          } catch (error) {
            assert.equal(errorCodeOf(error), 'OVERLOADED');
          }
        } else if (one.kind === 'release') {
          const [gone] = held.splice(one.which, 1);
          gone?.lease.release();
        } else {
          const user = held[one.which];
          if (user !== undefined) user.buffers[0] = user.lease.buffer(0);
        }
        assert.ok(pool.leasedBytes() <= 1 << 17);
        assertDisjoint(held.flatMap((entry) => entry.buffers));
      }
      for (const entry of held) entry.lease.release();
      assert.equal(pool.leasedBytes(), 0);
    }),
    { numRuns: 60 },
  );
});

function assertDisjoint(buffers: readonly Uint8Array[]): void {
  buffers.forEach((buffer, index) => buffer.fill(index));
  buffers.forEach((buffer, index) => {
    assert.ok(
      buffer[0] === index && buffer[buffer.byteLength - 1] === index && buffer[buffer.byteLength >> 1] === index,
    );
  });
}
