import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCodeOf } from '../errors.ts';
import type { Body } from '../ports/index.ts';
import { assertAtRest } from '../testing/assertions.ts';
import { manifestOf, testBlob } from '../testing/blob.ts';
import { createCountedSignal } from '../testing/counted-signal.ts';
import type { PeerScript } from '../testing/scripted-peers.ts';
import { blobTarget, createTestNode } from '../testing/test-node.ts';
import type { TestNode, TestNodeOptions } from '../testing/test-node.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';

/** A client's hang-up is normal: at whatever moment it comes, everything is let go of at once and nobody is blamed (L11, M3, M10, M18). */

const blob = testBlob(200);
const manifest = manifestOf({ layers: [] });
const target = blobTarget(blob);

interface Scenario {
  readonly options?: TestNodeOptions;
  readonly target?: string;
  readonly method?: string;
  readonly range?: string;
  readonly mirrored?: boolean;
  readonly holders?: Record<string, PeerScript>;
  readonly prepare?: (node: TestNode) => void;
}

const local = (script: object) => (node: TestNode) => {
  node.store.add(blob, script);
};
const slow = { chunkUs: 3_000, chunkBytes: 32 };
const scenarios: Readonly<Record<string, Scenario>> = {
  'windows of one source': { holders: { a: {} } },
  'chunks that take time': { holders: { a: slow } },
  'a source cut in mid-window': { holders: { a: { cutAt: 70 }, b: {} } },
  'a source that stalls': { holders: { a: { stallAt: 70 } } },
  'a hedge': { holders: { a: { silent: true }, b: { headUs: 400_000 } } },
  'nobody has it': { holders: {} },
  'a suffix': { holders: { a: {} }, range: 'bytes=-80' },
  HEAD: { holders: { a: {} }, method: 'HEAD' },
  'a tag': { holders: { a: {} }, target: '/v2/library/app/manifests/v1?ns=docker.io' },
  'a manifest in chunks': { holders: { a: slow }, target: `/v2/library/app/manifests/${manifest.digest}` },
  'this node': { prepare: local({}) },
  'this node, for a mirror': { prepare: local(slow), mirrored: true },
  'a disk error, then peers': { prepare: local({ cutAt: 50 }), holders: { a: slow } },
  'a disk that hangs': { prepare: local({ hangs: 'open' }), holders: { a: {} } },
  hashing: { options: { blobVerification: 'always', hashUs: 500 }, holders: { a: {} } },
  'a suspect that proves itself': {
    holders: { a: { selfCheck: 'right' } },
    prepare: (node) => {
      node.suspicion.delivered(blob.digest, 0, 200, ['a']);
    },
  },
  'a suspicion against this node': {
    options: { hashUs: 500 },
    prepare: (node) => {
      node.store.add(blob);
      node.suspicion.delivered(blob.digest, 0, 200, ['local']);
    },
  },
};

/** Runs a scenario and hangs up so many microtasks after the timer with that number. Says how many timers there were. */
async function run(scenario: Scenario, how: 'signal' | 'return', atTimer: number, microtasks: number): Promise<number> {
  const inner = createVirtualClock();
  const timers = { count: 0 };
  const client = createCountedSignal();
  const held: { body?: Body; isOver: boolean; hungUp: boolean } = { isOver: false, hungUp: false };
  const { promise: hungUp, resolve: onHungUp } = Promise.withResolvers<undefined>();
  const hangUp = (left: number): void => {
    if (left > 0) {
      void Promise.resolve().then(() => {
        hangUp(left - 1);
      });
      return;
    }
    held.hungUp = true;
    onHungUp(undefined);
    if (how === 'return' && held.body !== undefined) void held.body.return();
    else client.abort();
  };
  const tick = (): void => {
    if (timers.count === atTimer) hangUp(microtasks);
    timers.count += 1;
  };
  const clock = {
    ...inner,
    schedule: (us: number, callback: () => void) => {
      const state = { isCancelled: false };
      const timer = inner.schedule(us, () => {
        tick();
        if (!state.isCancelled) callback();
      });
      return {
        cancel: () => {
          state.isCancelled = true;
          timer.cancel();
        },
      };
    },
  };
  const node = createTestNode({ ...scenario.options, clock });
  node.peers.add(blob);
  node.peers.add(manifest, 'v1');
  node.holders(scenario.holders ?? {});
  scenario.prepare?.(node);

  const pull = async (): Promise<void> => {
    const asked = {
      ...(scenario.range === undefined ? {} : { range: scenario.range }),
      ...(scenario.mirrored === true ? { 'x-spegel-mirrored': 'true' } : {}),
    };
    try {
      const { body, headers } = await node.answer(
        { method: scenario.method ?? 'GET', target: scenario.target ?? target, headers: asked },
        client.signal,
      );
      if (body === undefined) return;
      held.body = body;
      if (held.hungUp) {
        await body.return();
        return;
      }
      let bytes = 0;
      for (;;) {
        const { done, value } = await body.next();
        if (done === true) break;
        bytes += value.byteLength;
      }
      if (how === 'signal')
        assert.equal(String(bytes), headers['content-length'], 'an end that came early looks clean');
    } catch (error) {
      const code = errorCodeOf(error);
      assert.ok(code === 'SOURCES_EXHAUSTED' || (held.hungUp && code === 'ABORTED'), `ended with ${String(code)}`);
    } finally {
      held.isOver = true;
    }
  };
  const where = `${how} after timer ${String(atTimer)} + ${String(microtasks)}`;
  tick();
  const pulled = pull();
  await inner.settle(Promise.race([pulled, hungUp]));
  await inner.advance(0);
  assert.ok(held.isOver, `${where}: a client that went is still being served`);
  await pulled;
  // What this node does for itself, checking its own file, may go on.
  if (node.digester.open() > 0 && scenario.options?.hashUs !== undefined) await inner.advance(1_000_000);
  assertAtRest(node, where);
  if (held.hungUp) assertNobodyBlamed(node, where);
  return timers.count;
}

function assertNobodyBlamed(node: TestNode, where: string): void {
  const ends = node.pulls.filter((event) => event.type === 'end');
  assert.equal(ends.length, 1, `${where}: ${String(ends.length)} ends`);
  const blamed = node.pulls.filter(
    (event) => event.type === 'liar' || (event.type === 'attempt-failed' && event.reason === 'ABORTED'),
  );
  assert.deepEqual(blamed, [], where);
}

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`hang-up: at any moment, with ${name}`, async () => {
    const timers = await run(scenario, 'signal', Infinity, 0);
    const step = timers < 6 ? 1 : 4; // Every one where that is cheap.
    for (let timer = 0; timer < Math.min(timers, 16); timer += 1)
      for (let microtasks = 0; microtasks < 40; microtasks = microtasks < 8 ? microtasks + 1 : microtasks + step)
        for (const how of ['signal', 'return'] as const) {
          await run(scenario, how, timer, microtasks);
        }
  });
}
