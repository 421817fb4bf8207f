import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { defaultLimits } from '../../core/index.ts';
import { until } from '../../testbed/index.ts';
import type { NetnsNode } from '../../testbed/index.ts';
import { openDevtools } from '../page/devtools.ts';
import {
  beginPull,
  heldImage,
  holderRate,
  lawsOf,
  layerPull,
  midBlobBytes,
  openScene,
  startNear,
  untilMembers,
  untilReceived,
} from './faults-fixture.ts';
import type { FaultImage, Scene } from './faults-fixture.ts';

const layerBytes = 40_000_000;
/** What the contract says of the mirror's own death. */
const goneWithinMs = 5000;
const inspectorPort = 9229;

/** Begins a pull through the asker's mirror and waits for the middle of its layer. */
async function pullHalfway({ asker, near }: Scene, image: FaultImage): Promise<{ readonly pull: Promise<unknown> }> {
  await near.setRate(holderRate);
  const pull = beginPull(asker, image);
  await untilReceived(asker, image, midBlobBytes);
  return { pull };
}

/** The upstream gave the rest of the layer, and no byte of those that had come through the mirror. */
async function assertUpstreamWentOn({ upstream }: Scene, image: FaultImage): Promise<void> {
  const { requests = 0, bytes = 0 } = (await upstream.counts()).get(image.layer) ?? {};
  assert.equal(requests, 1);
  assert.ok(bytes > 0 && bytes <= image.layerBytes - midBlobBytes, `the upstream gave ${bytes} bytes`);
}

/** The node has a mirror that serves, whatever the last law left. */
async function untilMirrored(node: NetnsNode): Promise<void> {
  if (!node.hasMirror || !(await node.mirror.isReady())) {
    await node.mirror.kill();
    await startNear(node);
  }
  await untilMembers(node.mirror, 2);
}

/** A mirror whose main thread can be told to stand still. */
async function startInspected(node: NetnsNode): Promise<void> {
  await node.mirror.kill();
  await startNear(node, { NODE_OPTIONS: `--inspect=0.0.0.0:${inspectorPort}` });
  await untilMembers(node.mirror, 2);
}

/** Resolves when it stands still, with the moment from which on it does. */
async function standStill(node: NetnsNode): Promise<number> {
  const url = `http://${node.address}:${inspectorPort}/json`;
  const [target] = (await (await fetch(url)).json()) as [{ webSocketDebuggerUrl: string }];
  const devtools = await openDevtools(target.webSocketDebuggerUrl);
  // From a timer, so that it stands where a program stands.
  await devtools.send('Runtime.evaluate', { expression: 'void setTimeout(() => { for (;;); }, 50)' });
  const sinceMs = performance.now();
  await pause(100);
  devtools.close();
  return sinceMs;
}

/** How long the process' main thread has waited for a processor; undefined when it has ended. */
async function starvedMs(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/schedstat`, 'latin1').catch(() => undefined);
  return text === undefined ? undefined : Number(text.split(' ')[1]) / 1e6;
}

/** It has ended in time. On a crowded machine a loop without an end has to wait for its processor too: that does not count. */
async function assertGone({ mirror }: NetnsNode, sinceMs: number): Promise<void> {
  const before = (await starvedMs(mirror.pid)) ?? 0;
  const state = { waitedMs: 0 };
  const isGone = async (): Promise<boolean> => {
    state.waitedMs = Math.max(state.waitedMs, ((await starvedMs(mirror.pid)) ?? 0) - before);
    return !mirror.isRunning();
  };
  await until('the mirror has ended', isGone, 60_000);
  const goneMs = performance.now() - sinceMs;
  const { waitedMs } = state;
  assert.ok(goneMs < goneWithinMs + waitedMs, `the mirror lived for ${goneMs} ms, ${waitedMs} without a processor`);
  assert.ok((await mirror.lines()).some(({ msg }) => msg?.includes('has stood still')));
}

test('the own mirror fails', { timeout: 240_000 }, async (context) => {
  const scene = await openScene(context);
  const { asker, cluster, near, upstream } = scene;
  const lawOfHolder = lawsOf(context, scene);
  const law = (name: string, body: () => Promise<void>): Promise<void> =>
    lawOfHolder(name, async () => {
      await untilMirrored(asker);
      await body();
    });

  await law('killed in mid-body: containerd goes on upstream at the next byte', async () => {
    const image = await heldImage(scene, [near], [layerBytes]);
    const { pull } = await pullHalfway(scene, image);
    await asker.mirror.kill();
    await pull;
    await assertUpstreamWentOn(scene, image);
  });

  await law('killed in mid-body and started again: the pull succeeds, and the next one comes from peers', async () => {
    const image = await heldImage(scene, [near], [layerBytes]);
    const { pull } = await pullHalfway(scene, image);
    await asker.mirror.kill();
    await startNear(asker);
    await pull;
    await untilMembers(asker.mirror, 2);
    const next = await heldImage(scene, [near], [layerBytes]);
    await asker.pull(next.name);
    assert.deepEqual((await layerPull(asker, next)).sources, { [near.name]: layerBytes });
    assert.equal(await upstream.bytesServed(), 0);
  });

  await law('its main thread stands still before the head: gone within 5 s, all from upstream', async () => {
    await startInspected(asker);
    const image = await heldImage(scene, [near], [layerBytes]);
    const sinceMs = await standStill(asker);
    const pull = beginPull(asker, image);
    await assertGone(asker, sinceMs);
    await pull;
    assert.equal(await upstream.bytesServed(), cluster.sizeOf(image));
  });

  await law('its main thread stands still in mid-body: gone within 5 s, containerd goes on upstream', async () => {
    await startInspected(asker);
    const image = await heldImage(scene, [near], [layerBytes]);
    const { pull } = await pullHalfway(scene, image);
    const sinceMs = await standStill(asker);
    await assertGone(asker, sinceMs);
    await pull;
    await assertUpstreamWentOn(scene, image);
  });

  await law('drained in mid-body: the body of 256 MiB goes on to its last byte, nothing from upstream', async () => {
    const image = await heldImage(scene, [near], [256 * 1024 * 1024]);
    await near.setRate(4 * holderRate);
    const pull = beginPull(asker, image);
    await untilReceived(asker, image, image.layerBytes / 4);
    const startMs = performance.now();
    const code = await asker.mirror.stop((2 * defaultLimits.drainTimeoutUs) / 1000);
    assert.equal(code, 0);
    assert.ok(performance.now() - startMs < defaultLimits.drainTimeoutUs / 1000);
    await pull;
    const { end, sources } = await layerPull(asker, image);
    assert.deepEqual({ end, sources }, { end: 'complete', sources: { [near.name]: image.layerBytes } });
    assert.equal(await upstream.bytesServed(), 0);
  });
});
