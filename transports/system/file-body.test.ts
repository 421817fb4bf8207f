import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { FileHandle } from 'node:fs/promises';
import { errorCodeOf } from '../../core/index.ts';
import { createBufferPool } from './buffer-pool.ts';
import { createFileBody } from './file-body.ts';

const limits = { bufferBudgetBytes: 1 << 16, bufferMaxBytes: 1 << 12, bufferMinBytes: 1 << 12 };

/** A file whose reads settle when the test says so. */
function slowFile() {
  const reads: ((bytesRead: number) => void)[] = [];
  const state = { closed: 0 };
  const handle = {
    read: () =>
      new Promise((resolve) => {
        reads.push((bytesRead) => {
          resolve({ bytesRead });
        });
      }),
    close: async () => {
      state.closed += 1;
    },
  } as unknown as FileHandle;
  const pool = createBufferPool(limits);
  const released = Promise.withResolvers<void>();
  const controller = new AbortController();
  const { signal } = controller;
  const lease = pool.lease(1 << 12, 2);
  const body = createFileBody({ handle, lease, start: 0, end: 10_000, signal, onReleased: released.resolve });
  return { body, controller, reads, state, pool, released: released.promise };
}

for (const end of ['return', 'abort'] as const) {
  test(`file body: ${end} rejects a pending next() at once, and gives buffers back when the read has settled`, async () => {
    const { body, controller, reads, state, pool, released } = slowFile();
    const pending = body.next();
    if (end === 'abort') controller.abort();
    else await body.return();
    await assert.rejects(pending, (error) => errorCodeOf(error) === 'ABORTED');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([pool.pending(), state.closed], [1, 0], 'the kernel still writes into a buffer');
    reads[0]?.(4096);
    await released;
    assert.deepEqual([pool.pending(), state.closed, reads.length], [0, 1, 1]);
  });
}

test('file body: one read ahead and never two, and short reads are passed on', async () => {
  const { body, reads, pool, released } = slowFile();
  const first = body.next();
  assert.equal(reads.length, 1);
  reads[0]?.(100);
  assert.equal((await first).value?.byteLength, 100);
  assert.equal(reads.length, 2);
  reads[1]?.(4096);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(reads.length, 2, 'nothing more is read before the reader comes back');
  assert.equal((await body.next()).value?.byteLength, 4096);
  reads[2]?.(0);
  await assert.rejects(body.next(), (error) => errorCodeOf(error) === 'STORE_FAILED');
  await released;
  assert.equal(pool.leasedBytes(), 0);
});
