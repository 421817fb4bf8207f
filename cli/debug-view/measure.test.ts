import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { defaultLimits, errorCodeOf } from '../../core/index.ts';
import type { Limits, PullEvent } from '../../core/index.ts';
import { createImage, pull, startLoopbackCluster, startUpstream } from '../../testbed/index.ts';
import { measure } from './measure.ts';
import type { MeasureOptions } from './measure.ts';
import type { MeasurementView } from './snapshot.ts';

const mebibyte = 1024 * 1024;
const timeout = 30_000;

/** Two nodes; the first has the image, and the second finds it there. */
async function open(context: TestContext) {
  const image = await createImage({
    name: 'registry.example/team/app:1.0',
    layers: [{ sizeBytes: 4 * mebibyte }, { sizeBytes: mebibyte }],
  });
  const upstream = await startUpstream({ content: [image] });
  context.after(() => upstream.close());
  const events: PullEvent[] = [];
  const observer = { onPull: (event: PullEvent) => void events.push(event), onNode: () => undefined };
  const cluster = await startLoopbackCluster({ nodes: 2, observer: () => observer });
  context.after(() => cluster.close());
  const signal = AbortSignal.timeout(timeout);
  const [first, second] = cluster.nodes;
  assert.ok(first !== undefined && second !== undefined);
  const common = { reference: image.name, upstream: upstream.url, signal };
  await pull({ ...common, mirror: first.url, into: first.layout });
  const deps = { mirror: second.running.mirror, nowMs: () => performance.now(), wallMs: () => Date.now() };
  const measured = (options: Partial<MeasureOptions> = {}) =>
    measure(deps, {
      reference: image.name,
      ownContent: true,
      signal,
      architecture: 'x64',
      limits: defaultLimits,
      ...options,
    });
  const sizeBytes = [...image.blobs.values()].reduce((sum, blob) => sum + blob.sizeBytes, 0);
  while ((await measured()).bytes < sizeBytes) signal.throwIfAborted();
  return { sizeBytes, measured, events, first, second, common };
}

/** Everybody who gave bytes. */
function givers({ objects }: MeasurementView): ReadonlySet<string> {
  return new Set(objects.flatMap(({ sources }) => sources.map(({ source }) => source)));
}

test('measure: reads a whole image from the peer that has it, and counts as no pull', { timeout }, async (context) => {
  const { sizeBytes, measured, events, first } = await open(context);
  const toldBefore = events.length;
  const result = await measured();
  const source = first.running.peerId;
  assert.deepEqual(result.lookup.holders, [{ source, zone: '' }]);
  assert.deepEqual([result.bytes, result.stopped], [sizeBytes, null]);
  for (const { sources, bytes, status } of result.objects) {
    assert.deepEqual([sources, status], [[{ source, bytes }], 200]);
  }
  const clients = events.slice(toldBefore).filter((event) => event.type === 'start' && !event.mirrored);
  assert.deepEqual(clients, [], 'the node tells of no pull');
});

test('measure: own content, or what peers would give; asking again accuses nobody', { timeout }, async (context) => {
  const { measured, first, second, common } = await open(context);
  await pull({ ...common, mirror: second.url, into: second.layout });
  while (!givers(await measured()).has('local')) common.signal.throwIfAborted();
  const peers = await measured({ ownContent: false });
  assert.deepEqual(givers(peers), new Set([first.running.peerId]));
  assert.deepEqual(
    peers.objects.flatMap(({ steps }) => steps),
    [],
    'a client has just been given these bytes, and nobody is asked to prove himself',
  );
});

test('measure: what nobody has, what is no reference, and what is more than enough', { timeout }, async (context) => {
  const { measured } = await open(context);
  const nobody = await measured({ reference: 'registry.example/team/other:1.0' });
  assert.deepEqual(
    [nobody.bytes, nobody.objects.map(({ status }) => status), nobody.lookup.outcome],
    [0, [404], 'nobody'],
  );
  for (const reference of ['', 'nginx', 'registry.example/app', 'registry.example/app:../x', 'https://r.example/a:1']) {
    await assert.rejects(measured({ reference }), (error) => errorCodeOf(error) === 'OPTION_INVALID', reference);
  }
  const limits: Limits = { ...defaultLimits, measureMaxBytes: mebibyte };
  const bounded = await measured({ limits });
  assert.equal(bounded.stopped, 'ended: enough bytes were read');
  assert.ok(bounded.bytes < 4 * mebibyte, `${bounded.bytes}`);
  const few = await measured({ limits: { ...defaultLimits, measureObjectsMax: 1 } });
  assert.equal(few.stopped, 'ended: enough layers were read');
});
