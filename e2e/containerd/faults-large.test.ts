import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../../core/index.ts';
import type { NetnsNode } from '../../testbed/index.ts';
import {
  addImage,
  assertWentOn,
  beginPull,
  holdBy,
  lawsOf,
  layerPulls,
  openScene,
  untilAsked,
  untilReceived,
} from './faults-fixture.ts';
import type { FaultImage } from './faults-fixture.ts';

const gibibyte = 1024 ** 3;

/** Headers of TCP, IP and Ethernet, which on these cables carry 64 KiB and not 1,500 bytes, and what mirrors say to each other meanwhile. */
const withHeaders = 1.005;

async function sentBytes({ link }: NetnsNode): Promise<number> {
  return (await link.bytes()).sentBytes;
}

/** Of two holders the one that has given something since, and the other. */
async function whoGives(
  holders: readonly [NetnsNode, NetnsNode],
  before: readonly [number, number],
): Promise<readonly [NetnsNode, NetnsNode]> {
  const [a, b] = holders;
  const isFirst = (await sentBytes(a)) - before[0] > (await sentBytes(b)) - before[1];
  return isFirst ? [a, b] : [b, a];
}

/** Bytes of the layer that the node's mirror gave to others, as far as their requests have ended. */
async function givenBytes(node: NetnsNode, { layer }: FaultImage): Promise<number> {
  const pulls = (await node.mirror.pulls()).filter(({ asker, key }) => asker === 'mirror' && key === layer);
  return pulls.reduce((sum, { bytes }) => sum + bytes, 0);
}

test('killed at half of a layer of 1 GiB', { timeout: 300_000 }, async (context) => {
  const scene = await openScene(context);
  const { asker, far, near, upstream } = scene;
  const image = await addImage(upstream, [gibibyte]);
  await holdBy(scene, [near], image);
  const law = lawsOf(context, scene);

  await law('with no other holder: containerd goes on upstream at that offset', async (inner) => {
    const pull = beginPull(asker, image);
    await untilReceived(asker, image, image.layerBytes / 2);
    await near.mirror.kill();
    await pull;
    const [first, second, ...more] = await layerPulls(asker, image);
    const at = first?.bytes ?? 0;
    inner.diagnostic(`on at ${at}`);
    assert.deepEqual({ end: first?.end, sources: first?.sources }, { end: 'cut', sources: { [near.name]: at } });
    assert.ok(at >= gibibyte / 2 && at < gibibyte, `cut at ${at}`);
    // containerd asks its mirror first; nobody has it, and so it goes on to the upstream with the same range.
    assert.deepEqual({ range: second?.range, end: second?.end }, { range: `bytes=${at}-`, end: 'not-found' });
    assert.equal(more.length, 0);
    assert.deepEqual((await upstream.counts()).get(image.layer), { requests: 1, bytes: gibibyte - at });
  });

  // The one that asked holds it too now, and the third node asks.
  await law('with another holder: the next byte comes from it, and no byte comes twice', async (inner) => {
    const holders = [near, asker] as const;
    await asker.pull(image.name);
    for (const holder of holders) await untilAsked({ cluster: scene.cluster, asker: far }, holder, image);
    await upstream.resetCounts();
    const before = [await sentBytes(near), await sentBytes(asker)] as const;
    const receivedBefore = (await far.link.bytes()).receivedBytes;
    const pull = beginPull(far, image);
    await untilReceived(far, image, gibibyte / 2);
    const [first, second] = await whoGives(holders, before);
    await first.mirror.kill();
    await pull;
    const at = await assertWentOn(far, image, first, second);
    inner.diagnostic(`on at ${at}`);
    assert.ok(at >= gibibyte / 2);
    assert.equal(await givenBytes(second, image), gibibyte - at);
    const cableBytes = (await far.link.bytes()).receivedBytes - receivedBefore;
    inner.diagnostic(`${cableBytes - gibibyte} bytes more on the cable than the layer has`);
    assert.ok(cableBytes < withHeaders * gibibyte + defaultLimits.windowBytes, `${cableBytes} bytes on the cable`);
    assert.equal(await upstream.bytesServed(), 0);
  });
});
