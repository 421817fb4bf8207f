import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { defaultLimits } from '../../core/index.ts';
import { CutError, exchange, until } from '../../testbed/index.ts';
import type { NetnsCluster, NetnsNode, PlacedImage, WireWatch } from '../../testbed/index.ts';
import { getsOf, layerOf, sizeOf, sourcesOf, urlOf } from './asking.ts';
import { openCluster } from './cluster-fixture.ts';

const layerBytes = 40_000_000;
const holderRate = 200_000_000;
const last = { seed: 0 };

/** A fresh image that the holder has and the asker finds there. */
async function heldImage(cluster: NetnsCluster): Promise<PlacedImage> {
  last.seed += 1;
  const image = await cluster.upstream.addImage({
    name: `team/app:${last.seed}`,
    seed: last.seed,
    layers: [{ sizeBytes: layerBytes }],
  });
  await cluster.node(0).pull(image.name);
  await cluster.untilFound(cluster.node(1), image);
  await cluster.upstream.resetCounts();
  return image;
}

/** Reads by hand, as containerd does: how the body ended, and after how many bytes. */
async function endOf(node: NetnsNode, image: PlacedImage): Promise<{ readonly end: string; readonly bytes: number }> {
  const url = new URL(urlOf(node, image, `blobs/${layerOf(image).digest}`));
  const signal = AbortSignal.timeout(30_000);
  const { body, status } = await exchange({ url, method: 'GET', headers: {}, signal, dialTimeoutMs: 1000 });
  assert.equal(status, 200);
  let bytes = 0;
  try {
    for await (const chunk of body) bytes += chunk.byteLength;
  } catch (error) {
    if (error instanceof CutError) return { end: error.kind, bytes };
    throw error;
  }
  return { end: 'whole', bytes };
}

/** Asks for one answer and waits for whatever the server does then. */
async function endAfterAnswer(
  node: NetnsNode,
  image: PlacedImage,
): Promise<{ readonly end: string; readonly bytes: number }> {
  const { host, hostname, pathname, port, search } = new URL(urlOf(node, image, `blobs/${layerOf(image).digest}`));
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => (bytes += chunk.byteLength));
  const end = await new Promise<string>((resolve) => {
    socket.once('end', () => {
      resolve('fin');
    });
    socket.once('error', () => {
      resolve('rst');
    });
  });
  socket.destroy();
  return { end, bytes };
}

function flags(watch: WireWatch, from = 0): readonly string[] {
  return [
    ...new Set(
      watch
        .endsByServer()
        .slice(from)
        .map(({ flag }) => flag),
    ),
  ];
}

test('the wire', { timeout: 120_000 }, async (context) => {
  const cluster = await openCluster(context, { nodes: 2, mirrors: { flags: ['--blob-verification', 'always'] } });
  const { upstream } = cluster;
  const [holder, asker] = [cluster.node(0), cluster.node(1)];
  const toContainerd = await asker.watchWire('lo');
  const toOthers = await asker.watchWire('eth0');

  await context.test('whole bodies and misses: no mirror resets a connection', async () => {
    const unknown = await upstream.addImage({ name: 'team/unknown:1.0', seed: 99, layers: [{ sizeBytes: 100_000 }] });
    await asker.pull(unknown.name);
    const image = await heldImage(cluster);
    await asker.pull(image.name);
    assert.equal(await upstream.bytesServed(), 0);
    const { bytes, end } = await endAfterAnswer(asker, image);
    assert.equal(end, 'fin');
    assert.ok(bytes > layerBytes, 'its head and all of the layer');
    await until('it is on the wire', () => flags(toOthers).length > 0);
    assert.deepEqual([...flags(toContainerd), ...flags(toOthers)], ['FIN']);
  });

  await context.test('bytes that do not match the digest: RST, and the pull fails at once', async (inner) => {
    const image = await heldImage(cluster);
    const { digest } = layerOf(image);
    const proxy = await holder.startFaultProxy([
      { fault: { type: 'flip', at: layerBytes - 1000, of: 'blob' }, request: `GET .*${digest}` },
    ]);
    inner.after(proxy.close);
    const from = toContainerd.endsByServer().length;
    await assert.rejects(asker.pull(image.name), /reset by peer/);
    await until('it is on the wire', () => flags(toContainerd, from).includes('RST'));
    await until('its end is told', async () => (await getsOf(asker, image)).some(({ end }) => end === 'mismatch'));
  });

  await context.test('the same to a client that reads by hand', async (inner) => {
    const image = await heldImage(cluster);
    const { digest } = layerOf(image);
    const proxy = await holder.startFaultProxy([
      { fault: { type: 'flip', at: 1000, of: 'blob' }, request: `GET .*${digest}` },
    ]);
    inner.after(proxy.close);
    const from = toOthers.endsByServer().length;
    const { bytes, end } = await endOf(asker, image);
    assert.equal(end, 'rst');
    assert.ok(bytes < layerBytes, 'not to the last byte');
    await until('it is on the wire', () => flags(toOthers, from).includes('RST'));
  });

  await context.test(
    'a body whose sources are gone: FIN, and containerd goes on upstream at the next byte',
    async () => {
      const image = await heldImage(cluster);
      const { digest } = layerOf(image);
      await holder.setRate(holderRate);
      const from = toContainerd.endsByServer().length;
      const pull = asker.pull(image.name);
      pull.catch(() => undefined);
      await until(
        'it is in mid-body',
        async () => (await asker.content.receivedBytes(digest)) > 2 * defaultLimits.windowBytes,
      );
      await holder.mirror.kill();
      await pull;
      const [cut] = (await getsOf(asker, image)).filter(({ key }) => key === digest);
      assert.equal(cut?.end, 'cut');
      assert.deepEqual(flags(toContainerd, from), ['FIN']);
      assert.deepEqual((await upstream.counts()).get(digest), { requests: 1, bytes: layerBytes - cut.bytes });
      assert.equal((await sourcesOf(asker, image))[holder.name], sizeOf(image) - layerBytes + cut.bytes);
    },
  );

  await Promise.all([toContainerd.stop(), toOthers.stop()]);
});
