import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { defaultLimits } from '../../core/index.ts';
import { until } from '../../testbed/index.ts';
import type { NetnsCluster, NetnsNode, PlacedImage } from '../../testbed/index.ts';
import { getsOf, layerOf, sizeOf, sourcesOf } from './asking.ts';
import { openCluster } from './cluster-fixture.ts';

const mebibyte = 1024 * 1024;
const layerBytes = 256 * mebibyte;
/** As on nodes whose distribution turns parallel ranges on. */
const containerd = { concurrentLayerFetchBufferBytes: 8 * mebibyte, maxConcurrentDownloads: 8 };
/** The test process on the first cluster's bridge, where every node reaches it. */
const bridge = '10.77.0.1';
const movedAtMost = 1.05;

async function receivedBytes({ link }: NetnsNode): Promise<number> {
  return (await link.bytes()).receivedBytes;
}

/** The node has nothing of it left, and will ask again. */
async function forget(node: NetnsNode, image: PlacedImage): Promise<void> {
  await node.removeImage(image.name);
  await until('its content is gone', async () => !(await node.content.has(layerOf(image).digest)));
}

/** A host whose answer to a layer's first range is its own, as a registry behind nginx gives it, and which hands later ranges to the node's mirror. */
async function startedElsewhere(context: TestContext, { upstream }: NetnsCluster, mirrorUrl: string): Promise<string> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { range } = request.headers;
    const isLater = range !== undefined && !range.startsWith('bytes=0-');
    void passOn(isLater ? mirrorUrl : `http://${upstream.address}:5000`, request, response).catch(() =>
      response.destroy(),
    );
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, bridge, resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://${bridge}:${(server.address() as AddressInfo).port}`;
}

async function passOn(
  host: string,
  { method = 'GET', url, headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  const range: Record<string, string> = headers.range === undefined ? {} : { range: headers.range };
  const answer = await fetch(`${host}${url}`, { method, headers: range, signal: gone.signal });
  const kept = ['content-type', 'content-length', 'content-range', 'docker-content-digest', 'accept-ranges'];
  response.writeHead(answer.status, Object.fromEntries([...answer.headers].filter(([field]) => kept.includes(field))));
  if (answer.body === null) response.end();
  else await pipeline(answer.body, response);
}

function accusationsIn(pulls: Awaited<ReturnType<typeof getsOf>>): readonly unknown[] {
  return pulls.flatMap(({ notes = [] }) => notes.filter((note) => 'liar' in note || 'failed' in note));
}

test('parallel ranges', { timeout: 240_000 }, async (context) => {
  const cluster = await openCluster(context, { nodes: 3, containerd, mirrors: {} });
  const { upstream } = cluster;
  const [holder, asker, other] = [cluster.node(0), cluster.node(1), cluster.node(2)];
  const image = await upstream.addImage({ name: 'team/app:1.0', layers: [{ sizeBytes: layerBytes }] });
  const layer = layerOf(image);
  await holder.pull(image.name);
  await cluster.untilFound(asker, image);
  await upstream.resetCounts();

  await context.test('one holder: five pulls of five succeed, and move hardly more than the layer', async (inner) => {
    for (let round = 1; round <= 5; round += 1) {
      const before = await receivedBytes(asker);
      const { tookMs } = await asker.pull(image.name);
      const moved = (await receivedBytes(asker)) - before;
      inner.diagnostic(`round ${round}: ${(moved / layerBytes).toFixed(3)} of the layer, ${Math.round(tookMs)} ms`);
      assert.ok(moved < movedAtMost * sizeOf(image), `${moved} bytes`);
      await forget(asker, image);
    }
    assert.equal(await upstream.bytesServed(), 0);
    const gets = (await getsOf(asker, image)).filter(({ key }) => key === layer.digest);
    assert.deepEqual(accusationsIn(gets), []);
    assert.equal(
      (await sourcesOf(asker, image))[holder.name],
      gets.reduce((sum, { bytes }) => sum + bytes, 0) + 5 * (sizeOf(image) - layer.sizeBytes),
    );
  });

  await context.test(
    'ranges begun elsewhere: each later one is answered here, and its end accuses nobody',
    async (inner) => {
      await asker.writeHosts([await startedElsewhere(inner, cluster, asker.registryUrl)]);
      await upstream.resetCounts();
      const earlier = (await getsOf(asker, image)).length;
      const before = (await holder.link.bytes()).sentBytes;
      await asker.pull(image.name);
      const sent = (await holder.link.bytes()).sentBytes - before;
      const ranges = layerBytes / containerd.concurrentLayerFetchBufferBytes - 1;
      await until('all ranges have ended', async () => (await getsOf(asker, image)).length - earlier >= ranges);
      const later = (await getsOf(asker, image)).slice(earlier).filter(({ key }) => key === layer.digest);
      assert.deepEqual(
        later.map(({ status }) => status),
        Array.from({ length: ranges }, () => 206),
      );
      assert.deepEqual(accusationsIn(later), []);
      inner.diagnostic(`${(sent / layerBytes).toFixed(2)} of the layer left the holder in ${ranges} ranges`);
      // What is under way when a client hangs up is wasted: the window that it ends in and the one asked for ahead of it.
      assert.ok(sent < layerBytes + ranges * 2 * defaultLimits.windowBytes, `${sent} bytes`);
      const fromUpstream = (await upstream.counts()).get(layer.digest);
      assert.equal(fromUpstream?.requests, 1);
      await asker.writeHosts();
      await forget(asker, image);
    },
  );

  await context.test(
    'the holder is killed in mid-body, with a second one: the pull succeeds, none from upstream',
    async (inner) => {
      await other.pull(image.name);
      await cluster.untilFound(asker, image);
      // Whoever sends first is found out on the cable.
      const before = await Promise.all([holder, other].map(async ({ link }) => (await link.bytes()).sentBytes));
      await upstream.resetCounts();
      const earlier = (await getsOf(asker, image)).length;
      const cable = await receivedBytes(asker);
      const pull = asker.pull(image.name);
      pull.catch(() => undefined);
      await until('it is in mid-body', async () => (await asker.content.receivedBytes(layer.digest)) > layerBytes / 4);
      const sent = await Promise.all(
        [holder, other].map(async ({ link }, at) => (await link.bytes()).sentBytes - (before[at] ?? 0)),
      );
      const [first, second] = (sent[0] ?? 0) > (sent[1] ?? 0) ? [holder, other] : [other, holder];
      await first.mirror.kill();
      await pull;
      assert.equal(await upstream.bytesServed(), 0);
      const [whole, ...more] = (await getsOf(asker, image)).slice(earlier).filter(({ key }) => key === layer.digest);
      assert.equal(more.length, 0, JSON.stringify(more));
      assert.equal(whole?.end, 'complete');
      const fromFirst = whole.sources[first.name] ?? 0;
      assert.deepEqual(whole.sources, { [first.name]: fromFirst, [second.name]: layerBytes - fromFirst });
      assert.ok(fromFirst > 0 && fromFirst < layerBytes);
      const moved = (await receivedBytes(asker)) - cable;
      inner.diagnostic(`on at ${fromFirst}, ${(moved / layerBytes).toFixed(3)} of the layer moved`);
      assert.ok(moved < movedAtMost * sizeOf(image), `${moved} bytes`);
    },
  );
});
