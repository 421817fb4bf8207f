import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Catalogue } from '../content/catalogue.ts';
import type { SimImage } from '../content/catalogue.ts';
import { Kernel } from '../kernel/kernel.ts';
import { createSimRandom } from '../kernel/random.ts';
import { createSimDigester } from '../node/sim-digester.ts';
import { Kubelet } from './kubelet.ts';
import type { PodRun } from './kubelet.ts';
import type { KubeletOptions } from './kubelet-options.ts';

const second = 1_000_000;
const pullUs = 2 * second;
/** The sandbox and one container's start. */
const startUs = 1_300_000;

/** A node whose pulls take 2 s each; `fails`: by how many have begun before. */
function createNode(options: Partial<KubeletOptions> = {}, fails: (pulls: number) => boolean = () => false) {
  const kernel = new Kernel({ drain: 'tick' });
  const catalogue: Catalogue = new Catalogue(createSimDigester(() => catalogue));
  const present = new Set<string>();
  const pulls: number[] = [];
  const pullImage = (image: SimImage): Promise<string> => {
    const isFailing = fails(pulls.length);
    pulls.push(kernel.nowUs());
    return new Promise((resolve) => {
      kernel.schedule(pullUs, () => {
        if (!isFailing) present.add(image.name);
        resolve(isFailing ? 'no-host' : 'ok');
      });
    });
  };
  const kubelet = new Kubelet(
    { kernel, random: createSimRandom(1), hasImage: (name) => present.has(name), pullImage },
    options,
  );
  const imageOf = (tag: string): SimImage =>
    catalogue.addImage({ registry: 'docker.io', repository: 'library/app', tag, layerBytes: [1] });
  const run = (name: string, tags: readonly string[], pullPolicy: 'IfNotPresent' | 'Always' = 'IfNotPresent') => {
    const state: { end: PodRun | undefined } = { end: undefined };
    void kubelet.run({ name, images: tags.map(imageOf), pullPolicy }).then((end) => {
      state.end = end;
    });
    return state;
  };
  return { kernel, pulls, run };
}

test('kubelet: containers of a pod are pulled and started one after the other; what is present is not pulled, unless always', async () => {
  const node = createNode();
  const first = node.run('a', ['1', '2']);
  await node.kernel.run({ untilUs: 100 * second });
  assert.equal(first.end?.readyUs, second + 2 * (pullUs + 300_000));
  const again = node.run('b', ['1', '2']);
  await node.kernel.run({ untilUs: 200 * second });
  assert.equal(again.end?.readyUs, second + 2 * 300_000);
  const always = node.run('c', ['1'], 'Always');
  await node.kernel.run({ untilUs: 300 * second });
  assert.equal(always.end?.readyUs, startUs + pullUs);
  assert.equal(node.pulls.length, 3);
});

test('kubelet: pulls are serialized by default; side by side when configured, at most so many', async () => {
  for (const [options, latestUs] of [
    [{}, startUs + 4 * pullUs],
    [{ serializeImagePulls: false }, startUs + pullUs],
    [{ serializeImagePulls: false, parallelImagePullsMax: 2 }, startUs + 2 * pullUs],
  ] as const) {
    const node = createNode(options);
    const pods = ['1', '2', '3', '4'].map((tag) => node.run(tag, [tag]));
    await node.kernel.run({ untilUs: 100 * second });
    assert.equal(Math.max(...pods.map(({ end }) => end?.readyUs ?? Infinity)), latestUs);
  }
});

test('kubelet: more than the burst at once fail without being pulled, and wait for their back-off', async () => {
  const node = createNode({ serializeImagePulls: false });
  const pods = Array.from({ length: 12 }, (_, index) => node.run(`${index}`, [`${index}`]));
  await node.kernel.run({ untilUs: 100 * second });
  const failed = pods.filter(({ end }) => end?.failures.length !== 0);
  assert.equal(failed.length, 2);
  for (const { end } of failed) {
    assert.deepEqual(end?.failures, ['pull-qps-exceeded']);
    assert.ok(end.readyUs >= startUs + pullUs + 10 * second && end.readyUs <= startUs + pullUs + 15 * second);
  }
  assert.equal(node.pulls.length, 12);
});

test('kubelet: a failed image is tried again after 10, 20, 40, ... 300 s, when the pod is looked at next', async () => {
  const node = createNode({}, (pulls) => pulls < 8);
  const pod = node.run('a', ['1']);
  await node.kernel.run({ untilUs: 3_600 * second });
  const waits = node.pulls.slice(1).map((atUs, index) => (atUs - (node.pulls[index] ?? 0) - pullUs) / second);
  for (const [index, least] of [10, 20, 40, 80, 160, 300, 300, 300].entries()) {
    const wait = waits[index] ?? 0;
    assert.ok(wait >= least && wait < least + 15, `${wait} s after ${index + 1} failures, at least ${least}`);
  }
  assert.deepEqual(
    pod.end?.failures,
    Array.from({ length: 8 }, () => 'no-host'),
  );
});
