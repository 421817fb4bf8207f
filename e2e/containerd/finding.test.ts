import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { defaultLimits } from '../../core/index.ts';
import { until } from '../../testbed/index.ts';
import type { NetnsCluster, PlacedImage } from '../../testbed/index.ts';
import { getsOf, layerOf, read, sizeOf, sourcesOf, statusOf, urlOf } from './asking.ts';
import { openCluster } from './cluster-fixture.ts';

const last = { seed: 0 };

function addImage({ upstream }: NetnsCluster, ...layerBytes: readonly number[]): Promise<PlacedImage> {
  last.seed += 1;
  const layers = layerBytes.map((sizeBytes) => ({ sizeBytes }));
  return upstream.addImage({ name: `team/app:${last.seed}`, seed: last.seed, layers });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function timed(what: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await what();
  return performance.now() - startMs;
}

/** From the last mirror that answers at all: what it takes before is the program's own start, and the machine's. */
async function assertReadyTogether(cluster: NetnsCluster, context: TestContext): Promise<void> {
  const startMs = performance.now();
  const mirrors = await Promise.all(cluster.nodes.map((node) => node.startMirror({ untilReady: false })));
  const answerMs = performance.now();
  await until('all are ready', async () => (await Promise.all(mirrors.map(({ isReady }) => isReady()))).every(Boolean));
  const readyMs = performance.now();
  context.diagnostic(
    `all answered after ${Math.round(answerMs - startMs)} ms, and were ready after ${Math.round(readyMs - startMs)} ms`,
  );
  assert.ok(readyMs - answerMs < 2 * readyWithinMs, `${readyMs - answerMs} ms until all were ready`);
}

const readyWithinMs = 1000;
/** From the holder's word that it has it. */
const foundWithinMs = 100;

test('finding', { timeout: 120_000 }, async (context) => {
  const cluster = await openCluster(context, { nodes: 3 });
  const { upstream } = cluster;
  const [holder, asker] = [cluster.node(0), cluster.node(1)];

  await context.test('three mirrors that start at once are ready together', async (inner) => {
    await assertReadyTogether(cluster, inner);
  });

  await context.test('asked too early: what a holder then has is found as soon as it says so', async (inner) => {
    const tookMs: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const image = await addImage(cluster, 500_000);
      const { digest } = layerOf(image);
      const isFound = async (): Promise<boolean> => (await statusOf(asker, image, `blobs/${digest}`)) === 200;
      // Asked for all the while, as by kubelets that try again.
      const state = { pulled: false, asked: 0 };
      const early = (async () => {
        while (!state.pulled && !(await isFound())) state.asked += 1;
      })();
      await until('it was asked for', () => state.asked >= 3);
      const before = await advertisedKeys(cluster);
      await holder.pull(image.name);
      await cluster.untilAdvertised(holder, before + image.blobs.size + 1);
      tookMs.push(await timed(() => until('it is found', isFound)));
      state.pulled = true;
      await early;
      assert.equal(await statusOf(asker, image, `manifests/${image.tag}`), 200);
    }
    inner.diagnostic(`found after ${tookMs.map(Math.round).join(', ')} ms`);
    assert.ok(median(tookMs) < 2 * foundWithinMs, `${tookMs.join(', ')} ms`);
  });

  await context.test('eight at once ask for one key with one holder: each gets it', async () => {
    const image = await addImage(cluster, 1_000_000);
    await holder.pull(image.name);
    await cluster.untilFound(asker, image);
    const { digest } = layerOf(image);
    for (const path of [`blobs/${digest}`, `manifests/${image.root.digest}`]) {
      const url = urlOf(asker, image, path);
      for (let round = 0; round < 10; round += 1) {
        const answers = await Promise.all(Array.from({ length: 8 }, () => read(url)));
        const wanted = { status: 200, digest: path.split('/').at(-1) };
        assert.deepEqual(
          answers,
          Array.from({ length: 8 }, () => wanted),
        );
      }
    }
    const gets = (await getsOf(asker, image)).filter(({ key }) => key === digest);
    assert.deepEqual(new Set(gets.map(({ sources }) => JSON.stringify(sources))).size, 1, JSON.stringify(gets));
  });

  await context.test('eight images with one layer are pulled at once: none of it from upstream', async () => {
    // Of one seed and name their layers are the same.
    const image = await addImage(cluster, 2_000_000);
    await holder.pull(image.name);
    await cluster.untilFound(asker, image);
    await upstream.resetCounts();
    await Promise.all(Array.from({ length: 8 }, () => asker.pull(image.name)));
    assert.equal(await upstream.bytesServed(), 0);
    const sources = await sourcesOf(asker, image);
    assert.deepEqual(Object.keys(sources), [holder.name]);
  });

  await context.test('what nobody has: 404 within the time for it, and the pull is the upstream’s', async (inner) => {
    const image = await addImage(cluster, 500_000, 400_000);
    const tookMs: number[] = [];
    for (let at = 0; at < 100; at += 1) {
      const digest = `sha256:${at.toString(16).padStart(64, '0')}`;
      tookMs.push(
        await timed(async () => {
          assert.equal((await read(urlOf(asker, image, `blobs/${digest}`))).status, 404);
        }),
      );
    }
    inner.diagnostic(`a miss took ${median(tookMs).toFixed(1)} ms, at most ${Math.max(...tookMs).toFixed(1)} ms`);
    assert.ok(median(tookMs) < (2 * defaultLimits.lookupMissTimeoutUs) / 1000, `${median(tookMs)} ms`);
    await upstream.resetCounts();
    await asker.pull(image.name);
    assert.equal(await upstream.bytesServed(), sizeOf(image));
    const gets = await getsOf(asker, image);
    assert.deepEqual([...new Set(gets.map(({ end, status }) => `${status} ${end}`))], ['404 not-found']);
    const lookups = gets.map(({ lookup }) => lookup?.tookMs ?? 0);
    assert.ok(Math.max(...lookups) < (2 * defaultLimits.lookupTimeoutUs) / 1000, lookups.join(', '));
  });
});

async function advertisedKeys(cluster: NetnsCluster): Promise<number> {
  return (await cluster.node(0).mirror.metrics()).value('peili_advertised_keys') ?? 0;
}
