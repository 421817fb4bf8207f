import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { defaultLimits, errorCodeOf } from '../../core/index.ts';
import { createSystemClock } from '../system/clock.ts';
import { followRuntime } from './follow-runtime.ts';
import type { RuntimeSign } from './follow-runtime.ts';
import { createFakeContainerd, types } from './testing/fake-containerd.ts';
import type { FakeContainerd } from './testing/fake-containerd.ts';
import { until } from './testing/started-store.ts';

const name = 'registry.example/library/busybox:1';

interface Following {
  readonly containerd: FakeContainerd;
  readonly signs: RuntimeSign[];
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

async function follow(t: TestContext, prepare: (containerd: FakeContainerd) => unknown = () => 0): Promise<Following> {
  const containerd = await createFakeContainerd();
  await prepare(containerd);
  const stop = new AbortController();
  const signs: RuntimeSign[] = [];
  const { socket } = containerd;
  const onSign = (sign: RuntimeSign): void => void signs.push(sign);
  const options = { socket, namespace: 'k8s.io', limits: defaultLimits, onSign };
  const ended = followRuntime({ clock: createSystemClock() }, options, stop.signal);
  t.after(async () => {
    stop.abort();
    await ended.catch(() => undefined);
    await containerd.remove();
  });
  await until(() => signs.some(({ type }) => type === 'connected'));
  return { containerd, signs, stop, ended };
}

const kinds = (signs: readonly RuntimeSign[]): string[] => [...new Set(signs.map(({ type }) => type))];

for (const hasContentEvents of [true, false]) {
  test(`runtime: a pull is its contents, then its name with what it leads to (${hasContentEvents ? 'events' : 'files'})`, async (t) => {
    const { containerd, ended, signs, stop } = await follow(t, (fake) => {
      fake.hasContentEvents = hasContentEvents;
      if (hasContentEvents) fake.exportedRoot = '/nowhere';
    });
    const { config, layers, root } = await containerd.addImage(name, ['one', 'two']);
    await until(() => signs.some(({ type }) => type === 'image'));
    const contents = signs.flatMap((sign) => (sign.type === 'content' ? [sign.digest] : []));
    assert.deepEqual(new Set(contents), new Set([...layers, config, root].map(({ digest }) => digest)));
    const image = signs.find((sign) => sign.type === 'image');
    assert.deepEqual(image?.image, {
      target: root.digest,
      documents: [root.digest, config.digest],
      layers: layers.map(({ digest, size }) => ({ digest, sizeBytes: size })),
    });
    containerd.removeImage(name);
    await until(() => signs.at(-1)?.type === 'image-removed');
    const gone = signs.length;
    await containerd.removeBlob(root.digest);
    stop.abort();
    await ended;
    assert.equal(signs.length, gone);
  });
}

test('runtime: a name that is taken away and given again at once is a removal, and then a name', async (t) => {
  const { containerd, signs } = await follow(t);
  const { root } = await containerd.addImage(name, ['one']);
  await until(() => signs.some(({ type }) => type === 'image'));
  const before = signs.length;
  containerd.removeImage(name);
  containerd.setImage(name, root);
  await until(() => signs.length === before + 2);
  assert.deepEqual(
    signs.slice(before).map(({ type }) => type),
    ['image-removed', 'image'],
  );
});

test('runtime: of an index the manifest that was pulled; what was there before is known, and not told as new', async (t) => {
  const old = 'registry.example/library/old:1';
  const { containerd, signs } = await follow(t, async (fake) => {
    await fake.addImage(old, ['old']);
  });
  assert.deepEqual(
    signs.map((sign) => (sign.type === 'known' ? sign.name : sign.type)),
    [old, 'connected'],
  );
  const { root } = await containerd.addImage('registry.example/library/new:1', ['new']);
  const absent = { ...root, digest: root.digest.replaceAll(/\d/g, '0') };
  // As a signature has none.
  const bare = await containerd.addBlob(JSON.stringify({ schemaVersion: 2, mediaType: types.manifest, layers: [] }));
  const manifests = [absent, { ...root, digest: bare.digest }, root];
  const text = JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests });
  containerd.setImage(name, await containerd.addBlob(text, { mediaType: types.index }));
  await until(() => signs.some((sign) => sign.type === 'image' && sign.name === name));
  const image = signs.find((sign) => sign.type === 'image' && sign.name === name);
  assert.ok(image?.type === 'image');
  assert.deepEqual([image.image.documents.length, image.image.layers.length], [3, 1]);
});

test('runtime: what happens while the images are listed is told after them', async (t) => {
  const listed = Promise.withResolvers<undefined>();
  const old = 'registry.example/library/old:1';
  let target = { digest: '', size: 0 };
  const { containerd, signs } = await follow(t, async (fake) => {
    target = (await fake.addImage(old, ['old'])).root;
    fake.imagesAfter = listed.promise;
    void until(() => (fake.calls.get('Images.List') ?? 0) > 0).then(() => {
      fake.setImage(old, target);
      // Behind it, so that it has been heard of.
      setTimeout(() => {
        listed.resolve(undefined);
      }, 50);
    });
  });
  await until(() => signs.some(({ type }) => type === 'image'));
  assert.deepEqual(kinds(signs), ['known', 'connected', 'image']);
  assert.ok((containerd.calls.get('Images.Get') ?? 0) === 1);
});

test('runtime: no socket is one sentence; a restart is a gap, and then it goes on', async (t) => {
  const { containerd, signs } = await follow(t);
  await containerd.stop();
  await until(() => kinds(signs).includes('gap'));
  const missing = followRuntime(
    { clock: createSystemClock() },
    { socket: containerd.socket, namespace: 'k8s.io', limits: defaultLimits, onSign: () => undefined },
    new AbortController().signal,
  );
  await assert.rejects(missing, (error) => errorCodeOf(error) === 'CONTAINERD_UNREACHABLE');
  await containerd.addImage(name, ['meanwhile']);
  await containerd.start();
  await until(() => kinds(signs).includes('known'));
  await containerd.addImage('registry.example/library/later:1', ['later']);
  await until(() => kinds(signs).includes('image'));
  assert.deepEqual(
    signs.flatMap((sign) => (sign.type === 'image' ? [sign.name] : [])),
    ['registry.example/library/later:1'],
  );
});
