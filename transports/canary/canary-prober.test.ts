import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Canary } from '../../core/index.ts';
import { abortReason, limitsWith, onAbort, PeiliError } from '../../core/index.ts';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import { createRecordingObserver } from '../memory/recording-observer.ts';
import { createRandom } from '../system/random.ts';
import { createCanaryProber } from './canary-prober.ts';

const second = 1_000_000;
const minute = 60 * second;
const limits = limitsWith({});
const intervalUs = limits.canaryIntervalUs;

/** What containerd does with one pull: asks this mirror for it, and then how it ends. */
interface PullScript {
  readonly asks?: boolean;
  readonly fails?: PeiliError;
  readonly hangs?: boolean;
}

/** A containerd by script over a set of images, and a prober that has it pull. */
function proberWith(script: PullScript, images: readonly string[] = [], names: Readonly<Record<string, string>> = {}) {
  const clock = createVirtualClock();
  const observer = createRecordingObserver();
  const present = new Set(images);
  const pulled: string[] = [];
  const asked = new Set<string>();
  const state = { script, removalFails: false };
  const canary: Pick<Canary, 'image' | 'askedFor'> = {
    image: (architecture, nonce) => {
      const blob = { digest: '', mediaType: '', bytes: new Uint8Array() };
      const repository = `${architecture}/${nonce}`;
      const reference = `canary.peili.internal/${repository}@sha256:${'0'.repeat(64)}`;
      return { reference, repository, nonce, manifest: blob, config: blob, layer: blob };
    },
    askedFor: (nonce) => (asked.has(nonce) ? 1 : 0),
  };
  const prober = createCanaryProber(
    {
      clock,
      observer,
      random: createRandom('seed'),
      canary,
      cri: {
        pullImage: (reference, signal) => {
          const { asks, fails, hangs } = state.script;
          pulled.push(reference);
          if (asks === true) asked.add(/\/(\w+)@/.exec(reference)?.[1] ?? '');
          if (fails !== undefined) return Promise.reject(fails);
          if (hangs === true)
            return new Promise((_resolve, reject) => void onAbort(signal, () => reject(abortReason(signal))));
          present.add(reference);
          return Promise.resolve(reference);
        },
        listImages: () =>
          Promise.resolve(
            [...present].map((name) => {
              const repoTags = names[name] === undefined ? [] : [names[name]];
              return { id: name, repoTags, repoDigests: [name], sizeBytes: 1 };
            }),
          ),
        removeImage: (reference) => {
          if (state.removalFails) return Promise.reject(new PeiliError('CONTAINERD_FAILED', 'busy'));
          present.delete(reference);
          return Promise.resolve();
        },
      },
    },
    { architecture: 'amd64', intervalUs, limits },
  );
  const events = () =>
    observer.node.flatMap((event) => (event.type === 'canary' ? [[event.outcome, event.arrived]] : []));
  return { clock, events, observer, present, prober, pulled, state };
}

test('canary prober: at start and every interval it pulls an image that nobody has pulled before', async () => {
  const { clock, events, present, prober, pulled } = proberWith({ asks: true });
  prober.start();
  await clock.advance(intervalUs + second);
  assert.deepEqual(events(), [
    ['arrived', true],
    ['arrived', true],
  ]);
  assert.equal(new Set(pulled).size, 2);
  assert.deepEqual([...present], [], 'and removes it again');
  prober.stop();
  assert.equal(clock.pending(), 0);
});

test('canary prober: when hosts.toml has changed it is proven at once, also right after a pull under way, and then as before', async () => {
  const { clock, events, prober, state } = proberWith({ asks: true });
  prober.start();
  await clock.advance(second);
  prober.soon();
  await clock.advance(second);
  assert.equal(events().length, 2);
  state.script = { hangs: true };
  prober.soon();
  await clock.advance(second);
  prober.soon();
  state.script = { asks: true };
  await clock.advance(limits.canaryTimeoutUs);
  assert.deepEqual(events().slice(2), [
    ['timeout', false],
    ['arrived', true],
  ]);
  await clock.advance(intervalUs);
  assert.equal(events().length, 5);
  prober.stop();
  assert.equal(clock.pending(), 0);
});

test('canary prober: what has not arrived is tried again after a minute, two, four, and never later than the interval', async () => {
  const { clock, events, prober, state } = proberWith({ fails: new PeiliError('CONTAINERD_FAILED', 'no such host') });
  prober.start();
  const counts: number[] = [];
  for (const waitUs of [second, minute, 2 * minute, 4 * minute]) {
    await clock.advance(waitUs);
    counts.push(events().length);
  }
  assert.deepEqual(counts, [1, 2, 3, 4]);
  assert.deepEqual(events()[0], ['not-asked', false]);
  await clock.advance(20 * intervalUs);
  const before = events().length;
  await clock.advance(intervalUs);
  assert.equal(events().length, before + 1);
  state.script = { asks: true };
  await clock.advance(intervalUs);
  assert.deepEqual(events().at(-1), ['arrived', true]);
  prober.stop();
});

test('canary prober: after an arrival, what has not arrived is tried again as soon as at first', async () => {
  const { clock, events, prober, state } = proberWith({ fails: new PeiliError('CONTAINERD_FAILED', 'no such host') });
  prober.start();
  await clock.advance(5 * intervalUs);
  const { script } = state;
  state.script = { asks: true };
  await clock.advance(2 * intervalUs);
  assert.deepEqual(events().at(-1), ['arrived', true]);
  state.script = script;
  const arrivals = events().length;
  for (let passedUs = 0; events().length === arrivals && passedUs < 2 * intervalUs; passedUs += second) {
    await clock.advance(second);
  }
  const before = events().length;
  assert.deepEqual(events().at(-1), ['not-asked', false]);
  await clock.advance(minute + second);
  assert.equal(events().length, before + 1);
  prober.stop();
});

test('canary prober: an image that somebody gave a name of his own stays', async () => {
  const renamed = 'canary.peili.internal/amd64/0ld@sha256:0';
  const { clock, present, prober } = proberWith({ asks: true }, [renamed], { [renamed]: 'docker.io/library/kept:1' });
  prober.start();
  await clock.advance(second);
  assert.deepEqual([...present], [renamed]);
  prober.stop();
});

test('canary prober: a pull that does not end is given up, and a mirror that was asked counts all the same', async () => {
  for (const asks of [false, true]) {
    const { clock, events, prober } = proberWith({ hangs: true, asks });
    prober.start();
    await clock.advance(limits.canaryTimeoutUs - second);
    assert.deepEqual(events(), []);
    await clock.advance(2 * second);
    assert.deepEqual(events(), [asks ? ['arrived', true] : ['timeout', false]]);
    prober.stop();
    assert.equal(clock.pending(), 0);
  }
});

test('canary prober: a containerd that nobody reaches is told apart from one that does not use the mirror', async () => {
  const { clock, events, observer, prober } = proberWith({
    fails: new PeiliError('CONTAINERD_UNREACHABLE', 'nothing answers at that socket'),
  });
  prober.start();
  await clock.advance(second);
  assert.deepEqual(events(), [['unreachable', false]]);
  assert.match(JSON.stringify(observer.node), /nothing answers at that socket/);
  prober.stop();
});

test('canary prober: an image that another mirror gave is no proof', async () => {
  const { clock, events, prober } = proberWith({});
  prober.start();
  await clock.advance(second);
  assert.deepEqual(events(), [['elsewhere', false]]);
  prober.stop();
});

test('canary prober: what an earlier run left is removed, and what a failed removal left the next time; nothing else is', async () => {
  const app = 'docker.io/library/app:1.0';
  const { clock, present, prober, state } = proberWith({ asks: true }, [
    'canary.peili.internal/amd64/0ld@sha256:0',
    app,
  ]);
  prober.start();
  await clock.advance(second);
  assert.deepEqual([...present], [app]);
  state.removalFails = true;
  await clock.advance(intervalUs);
  assert.equal(present.size, 2);
  state.removalFails = false;
  await clock.advance(intervalUs);
  assert.deepEqual([...present], [app]);
  prober.stop();
});

test('canary prober: a stop ends the pull under way and says nothing more', async () => {
  const { clock, events, prober } = proberWith({ hangs: true });
  prober.start();
  await clock.advance(second);
  prober.stop();
  await clock.advance(2 * intervalUs);
  assert.deepEqual(events(), []);
  assert.equal(clock.pending(), 0);
});
