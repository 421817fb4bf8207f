import assert from 'node:assert/strict';
import type { TestBlob } from './blob.ts';
import type { Outcome, TestNode } from './test-node.ts';

/** Nothing is left: no timer, body, hash, lookup, upload, and nobody listens to the client's signal. */
export function assertAtRest(node: TestNode, where = ''): void {
  const left = Object.entries(node.leftovers()).filter(([, count]) => count !== 0);
  assert.deepEqual(left, [], `${where}: not at rest`);
}

/** The answer is exactly [start, end) of the blob, with the head that says so. */
export function assertPart(
  outcome: Outcome,
  blob: TestBlob,
  start: number,
  end: number,
  isPart: boolean,
  where = '',
): void {
  const { bytes, headers, status } = outcome;
  assert.equal(status, isPart ? 206 : 200, `${where}: status`);
  assert.equal(
    headers['content-range'],
    isPart ? `bytes ${start}-${end - 1}/${blob.sizeBytes}` : undefined,
    `${where}: content range`,
  );
  assert.equal(headers['content-length'], String(end - start), `${where}: content length`);
  assert.equal(headers['docker-content-digest'], blob.digest, `${where}: digest`);
  assert.equal(outcome.end, 'clean', `${where}: end`);
  assert.deepEqual(Buffer.from(bytes), Buffer.from(blob.bytes.subarray(start, end)), `${where}: bytes`);
}
