import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeCanary } from './canary-verdict.ts';
import type { CanaryPull } from './canary-verdict.ts';

const pulls: readonly CanaryPull[] = [
  { type: 'pulled' },
  { type: 'failed', reason: 'why' },
  { type: 'timeout' },
  { type: 'unreachable', reason: 'why' },
];

test('canary verdict: a mirror that was asked is used, whatever became of the pull', () => {
  assert.deepEqual(
    pulls.map((pull) => judgeCanary(pull, 1).outcome),
    pulls.map(() => 'arrived'),
  );
  assert.equal(judgeCanary({ type: 'failed', reason: 'no space left' }, 1).cause, 'no space left');
});

test('canary verdict: a mirror that was not asked is told what the pull says about its containerd', () => {
  assert.deepEqual(
    pulls.map((pull) => judgeCanary(pull, 0).outcome),
    ['elsewhere', 'not-asked', 'timeout', 'unreachable'],
  );
  const verdict = judgeCanary({ type: 'failed', reason: 'no such host' }, 0);
  assert.match(verdict.reason, /config_path/);
  assert.equal(verdict.cause, 'no such host');
});
