import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCodeOf } from '../../core/index.ts';
import type { StoreChange } from '../../core/index.ts';
import { contentStoreSuite, readBody } from '../../core/conformance/index.ts';
import { Catalogue } from '../content/catalogue.ts';
import type { SimImage } from '../content/catalogue.ts';
import { mediaTypes } from '../content/image-texts.ts';
import { Kernel } from '../kernel/kernel.ts';
import { createSimRandom } from '../kernel/random.ts';
import { createSimDigester } from '../node/sim-digester.ts';
import { SimStore } from './sim-store.ts';
import type { SimStoreOptions } from './sim-store.ts';

const epochUs = 1_700_000_000_000_000;

function createSubject(kernel: Kernel, options: SimStoreOptions) {
  const catalogue: Catalogue = new Catalogue(createSimDigester(() => catalogue));
  const clock = {
    schedule: (delayUs: number, callback: () => void) => kernel.schedule(delayUs, callback),
    wallUs: () => epochUs + kernel.nowUs(),
  };
  return { catalogue, store: new SimStore({ clock, catalogue }, options) };
}

for (const [name, options] of [
  ['simulated', { noticedUs: 3_000, labelledUs: 5_000, chunkBytes: 1_000_000 }],
  ['simulated, seen at once', { chunkBytes: 1_000_000 }],
] as const) {
  // One kernel for all laws: time goes on from one to the next.
  const kernel = new Kernel({ drain: 'tick' });
  contentStoreSuite({
    manifest: { name, supports: { truncation: true, 'media-types': true } },
    test,
    assert,
    pause: async () => {
      kernel.schedule(1_000, () => undefined);
      await kernel.run({ untilUs: kernel.nowUs() + 1_000 });
    },
    factory: async () => {
      const { catalogue, store } = createSubject(kernel, options);
      return {
        store,
        addImage: async (reference, bytes) => {
          const layers = bytes.map((layer) => catalogue.addBytes(layer, mediaTypes.layer));
          const manifest = catalogue.addManifest(catalogue.addBlob('config', 10, mediaTypes.config), layers);
          store.importImage(reference, manifest);
          return { manifest, layers };
        },
        removeContent: async (digest) => {
          store.remove(digest);
        },
        removeTag: async (reference) => {
          store.removeTag(reference);
        },
        truncate: async (digest, sizeBytes) => {
          store.files.truncate(digest, sizeBytes);
        },
        pending: () => store.pending(),
      };
    },
  });
}

function createNode(options: SimStoreOptions = { noticedUs: 3_000, labelledUs: 5_000, chunkBytes: 1_000 }) {
  const kernel = new Kernel({ drain: 'tick' });
  const { catalogue, store } = createSubject(kernel, options);
  const told: { readonly atUs: number; readonly change: StoreChange }[] = [];
  store.watch((change) => told.push({ atUs: kernel.nowUs(), change }));
  const image = (tag: string, layerLabels: readonly string[] = []): SimImage =>
    catalogue.addImage({
      registry: 'docker.io',
      repository: 'library/app',
      tag,
      layerBytes: [5_000, 6_000],
      layerLabels,
    });
  return { kernel, store, told, image, catalogue };
}

const never = (): AbortSignal => new AbortController().signal;
const namesOf = ({ change }: { readonly change: StoreChange }): readonly string[] =>
  change.type === 'content-added' ? change.content.names : [];

test('store: content is seen a moment after its commit, its label later, its tag last; until it is seen it is not served', async () => {
  const { image, kernel, store, told } = createNode();
  const { layers, manifest, name } = image('1');
  const [layer] = layers;
  assert.ok(layer !== undefined);
  store.commit(layer, name);
  assert.equal(store.has(layer.digest), true);
  const early = store.open(layer.digest, 0, 1, never()).then(() => 'open', errorCodeOf);
  await kernel.run({ untilUs: 2_999 });
  assert.equal(await early, 'CONTENT_ABSENT');
  await kernel.run({ untilUs: 10_000 });
  const taggedUs = kernel.nowUs();
  store.commit(manifest, name);
  store.setTag(name, manifest.digest);
  await kernel.run({ untilUs: 50_000 });
  const ofLayer = told.filter(
    ({ change }) => change.type === 'content-added' && change.content.digest === layer.digest,
  );
  assert.deepEqual(
    ofLayer.map((event) => [event.atUs, ...namesOf(event)]),
    [[3_000], [8_000, 'docker.io/library/app'], [taggedUs + 3_000, name]],
  );
  assert.deepEqual(
    told.filter(({ change }) => change.type === 'tag-set').map(({ atUs }) => atUs),
    [taggedUs + 3_000],
  );
});

test('store: the name of a removed image is gone at once, what only it led to 0.2 s later; what another leads to, or a lease has, stays', async () => {
  const { image, kernel, store } = createNode();
  const [one, two] = [image('1', ['base', 'one']), image('2', ['base', 'two'])];
  store.importImage(one.name, one.root);
  store.importImage(two.name, two.root);
  const lease = store.lease();
  lease.add(one.config.digest);
  await kernel.run({ untilUs: 10_000 });
  const removedUs = kernel.nowUs();
  store.removeImage(one.name);
  await kernel.run({ untilUs: removedUs + 199_999 });
  assert.equal(store.has(one.layers[1]?.digest ?? ''), true);
  assert.equal(await store.resolve(one.name, never()), undefined);
  await kernel.run({ untilUs: removedUs + 200_000 });
  const held = [...one.layers, one.config, one.manifest].map(({ digest }) => store.has(digest));
  assert.deepEqual(held, [true, false, true, false]);
});

test('store: a file that is cut, that cannot be read or that goes is met by who reads it then: an open one outlives its name', async () => {
  const { image, kernel, store } = createNode();
  const app = image('1');
  store.importImage(app.name, app.root);
  await kernel.run({ untilUs: 10_000 });
  const [first, second] = app.layers.map(({ digest }) => digest);
  assert.ok(first !== undefined && second !== undefined);
  const body = await store.open(first, 0, 5_000, never());
  await body.next();
  store.remove(first);
  await kernel.run({ untilUs: 20_000 });
  let bytes = 1_000;
  for (let step = await body.next(); step.done !== true; step = await body.next()) bytes += step.value.byteLength;
  assert.equal(bytes, 5_000);
  assert.equal(await store.open(first, 0, 1, never()).then(() => 'open', errorCodeOf), 'CONTENT_ABSENT');
  const other = await store.open(second, 0, 6_000, never());
  await other.next();
  store.files.failReads(second, 2_500);
  await other.next();
  assert.equal(await other.next().then(() => 'bytes', errorCodeOf), 'STORE_FAILED');
  store.files.mend(second);
  store.files.truncate(second, 10);
  assert.equal(await store.open(second, 0, 1, never()).then(() => 'open', errorCodeOf), 'STORE_FAILED');
  assert.equal(store.pending(), 0);
});

test('store: events that are lost, missed, told twice, late or in another order', async () => {
  const random = createSimRandom(5);
  const cases = [
    { fault: { kind: 'gap' }, types: ['gap'], atUs: 3_000 },
    {
      fault: { kind: 'duplicate' },
      types: ['content-added', 'content-added', 'content-added', 'content-added'],
      atUs: 3_000,
    },
    { fault: { kind: 'delay', delayUs: 7_000 }, types: ['content-added', 'content-added'], atUs: 10_000 },
    { fault: { kind: 'reorder', delayUs: 1_000, random }, types: ['content-added', 'content-added'], atUs: 4_000 },
    { fault: { kind: 'lost' }, types: ['content-added', 'content-added'], atUs: 60_000_000 },
  ] as const;
  for (const { fault, types, atUs } of cases) {
    const { image, kernel, store, told } = createNode();
    store.disturbEvents(fault);
    for (const layer of image('1').layers) store.commit(layer);
    await kernel.run({ untilUs: 100_000_000 });
    assert.deepEqual(
      told.map((event) => [event.change.type, event.atUs]),
      types.map((type) => [type, atUs]),
      fault.kind,
    );
    assert.equal((await store.list(never())).contents.length, 2, fault.kind);
  }
});

test('store: slow reads give their bytes so late, one step read ahead', async () => {
  const { image, kernel, store } = createNode({ chunkBytes: 1_000 });
  const app = image('1');
  store.importImage(app.name, app.root);
  store.slowReads(1_000_000);
  const body = await store.open(app.layers[0]?.digest ?? '', 0, 5_000, never());
  const read = readBody(body, (chunk) => new Uint8Array(chunk.byteLength)).then((bytes) => [
    bytes.byteLength,
    kernel.nowUs(),
  ]);
  await kernel.run({ untilUs: 100_000 });
  assert.deepEqual(await read, [5_000, 5_000]);
});
