import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultLimits, errorCodeOf } from '../../core/index.ts';
import type { Body, NodeEvent, StoreChange } from '../../core/index.ts';
import { createBufferPool } from '../system/buffer-pool.ts';
import { createSystemClock } from '../system/clock.ts';
import { createLayoutFixture, named } from './testing/layout-fixture.ts';
import type { LayoutFixture } from './testing/layout-fixture.ts';
import { blobPath } from './layout-files.ts';
import { createOciLayoutStore } from './oci-layout-store.ts';
import type { OciLayoutStore } from './oci-layout-store.ts';

const reference = 'registry.example/library/busybox:1';
const never = new AbortController().signal;
const clock = createSystemClock();
const big = new Uint8Array(3_000_000).map((_, index) => (index * 7 + (index >> 9)) & 255);

async function setUp(t: TestContext): Promise<{ layout: LayoutFixture; start: () => Promise<Started> }> {
  const layout = await createLayoutFixture();
  const stores: OciLayoutStore[] = [];
  t.after(async () => {
    for (const store of stores) store.close();
    await layout.remove();
  });
  const start = async (): Promise<Started> => {
    const events: NodeEvent[] = [];
    const changes: StoreChange[] = [];
    const buffers = createBufferPool(defaultLimits);
    const observer = { onPull: () => undefined, onNode: (event: NodeEvent) => events.push(event) };
    const store = await createOciLayoutStore({ clock, buffers, observer }, { directory: layout.directory });
    stores.push(store);
    store.watch((change) => changes.push(change));
    return { store, events, changes, buffers };
  };
  return { layout, start };
}

interface Started {
  readonly store: OciLayoutStore;
  readonly events: NodeEvent[];
  readonly changes: StoreChange[];
  readonly buffers: ReturnType<typeof createBufferPool>;
}

async function until(condition: () => boolean): Promise<void> {
  const limitUs = clock.nowUs() + 4_000_000;
  while (!condition()) {
    if (clock.nowUs() > limitUs) throw new Error(`not within 4 s: ${condition.toString()}`);
    await new Promise((resolve) => clock.schedule(2_000, () => resolve(undefined)));
  }
}

async function readAll(body: Body): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let step = await body.next(); step.done !== true; step = await body.next()) {
    parts.push(Buffer.from(step.value as Uint8Array));
  }
  return Buffer.concat(parts);
}

test('oci-layout: content has the names and media types of the roots that lead to it', async (t) => {
  const { layout, start } = await setUp(t);
  const { root, config, layers } = await layout.image(['one layer', big]);
  const orphan = await layout.blob('nobody points here');
  await layout.index([named(root, reference), named(root, 'registry.example/other/name:2')]);
  const { store } = await start();
  const names = ['registry.example/library/busybox:1', 'registry.example/other/name:2'];
  for (const { digest, size, mediaType } of [root, config, ...layers]) {
    assert.deepEqual(await store.info(digest, never), { digest, sizeBytes: size, mediaType, names });
  }
  assert.deepEqual((await store.info(orphan.digest, never))?.names, []);
  assert.equal((await store.resolve(reference, never))?.digest, root.digest);
  assert.deepEqual(await readAll(await store.open(layers[1]!.digest, 0, big.byteLength, never)), Buffer.from(big));
  assert.deepEqual((await readAll(await store.open(layers[0]!.digest, 4, 9, never))).toString(), 'layer');
  assert.equal(store.pending(), 0);
});

test('oci-layout: of a multi-platform index only what is present is content', async (t) => {
  const { layout, start } = await setUp(t);
  const here = await layout.image(['amd64']);
  const elsewhere = { digest: `sha256:${'a'.repeat(64)}`, size: 500, mediaType: here.root.mediaType! };
  const indexType = 'application/vnd.oci.image.index.v1+json';
  const index = await layout.blob(JSON.stringify({ manifests: [here.root, elsewhere] }), indexType);
  await layout.index([named(index, reference)]);
  const { store } = await start();
  assert.deepEqual((await store.info(here.layers[0]!.digest, never))?.names, [reference]);
  assert.equal(await store.info(elsewhere.digest, never), undefined);
  assert.equal((await store.list(never)).contents.length, 4);
});

test('oci-layout: a name that is none is skipped, said once, and never fatal', async (t) => {
  const { layout, start } = await setUp(t);
  const { root } = await layout.image(['x']);
  const refName = (name: string) => ({ ...root, annotations: { 'org.opencontainers.image.ref.name': name } });
  await layout.index([
    refName('latest'),
    refName('library/busybox:1'),
    refName('registry.example/full:2'),
    named(root, '///'),
    root,
  ]);
  const { store, events } = await start();
  await store.list(never);
  assert.deepEqual(
    events.map((event) => event.type === 'name-skipped' && event.name),
    ['latest', 'library/busybox:1', '///'],
  );
  assert.deepEqual(
    (await store.list(never)).tags.map((tag) => tag.reference),
    ['registry.example/full:2'],
  );
  assert.deepEqual((await store.info(root.digest, never))?.names, ['registry.example/full:2']);
});

test('oci-layout: an image that comes is listed and said, one that goes is withdrawn', async (t) => {
  const { layout, start } = await setUp(t);
  const { store, changes } = await start();
  const { root, layers } = await layout.image(['late']);
  await layout.index([named(root, reference)]);
  await until(() => changes.some((change) => change.type === 'tag-set' && change.tag.digest === root.digest));
  const added = changes.flatMap((change) => (change.type === 'content-added' ? [change.content] : []));
  assert.deepEqual(added.findLast(({ digest }) => digest === layers[0]!.digest)?.names, [reference]);
  assert.equal((await store.list(never)).contents.length, 3);
  await layout.removeBlob(layers[0]!.digest);
  await until(() => changes.some((change) => change.type === 'content-removed' && change.digest === layers[0]!.digest));
  assert.equal(await store.info(layers[0]!.digest, never), undefined);
  await layout.index([]);
  await until(() => changes.some((change) => change.type === 'tag-removed' && change.reference === reference));
  assert.equal(await store.resolve(reference, never), undefined);
});

test('oci-layout: a directory of blobs that is made anew is watched again', async (t) => {
  const { layout, start } = await setUp(t);
  const { changes } = await start();
  await rm(join(layout.directory, 'blobs', 'sha256'), { recursive: true });
  await rename(join(layout.directory, 'blobs'), join(layout.directory, 'old'));
  const other = await createLayoutFixture();
  t.after(() => other.remove());
  await rename(join(other.directory, 'blobs'), join(layout.directory, 'blobs'));
  const first = await layout.blob('first');
  await until(() =>
    changes.some((change) => change.type === 'content-added' && change.content.digest === first.digest),
  );
  const second = await layout.blob('second');
  await until(() =>
    changes.some((change) => change.type === 'content-added' && change.content.digest === second.digest),
  );
});

test('oci-layout: half-written files and foreign names are no content; a half-written index.json keeps the names', async (t) => {
  const { layout, start } = await setUp(t);
  const { root, layers } = await layout.image(['a layer', 'b layer']);
  await layout.index([named(root, reference)]);
  await truncate(blobPath(layout.directory, layers[0]!.digest), 3);
  await writeFile(join(layout.directory, 'blobs', 'sha256', 'upload.tmp'), 'x');
  const { store, events } = await start();
  assert.equal((await store.list(never)).contents.length, 3);
  assert.equal(await store.info(layers[0]!.digest, never), undefined);
  await writeFile(join(layout.directory, 'index.json'), '{"manifests": [');
  await until(() => events.some((event) => event.type === 'store-failed'));
  assert.equal((await store.resolve(reference, never))?.digest, root.digest);
  await assert.rejects(store.list(never), (error) => errorCodeOf(error) === 'STORE_FAILED');
});

test('oci-layout: a tag keeps the moment it was first seen, and a new meaning has a new one', async (t) => {
  const { layout, start } = await setUp(t);
  const one = await layout.image(['one']);
  const two = await layout.image(['two']);
  await layout.index([named(one.root, reference)]);
  const { store } = await start();
  const first = await store.resolve(reference, never);
  await layout.index([named(one.root, reference), named(two.root, 'registry.example/two:1')]);
  await store.list(never);
  assert.deepEqual(await store.resolve(reference, never), first);
  await layout.index([named(two.root, reference)]);
  await store.list(never);
  const second = await store.resolve(reference, never);
  assert.equal(second?.digest, two.root.digest);
  assert.ok(first !== undefined && second.resolvedAtUs >= first.resolvedAtUs);
});

test('oci-layout: a file that shrinks under a body ends it with STORE_FAILED, one that is gone is CONTENT_ABSENT', async (t) => {
  const { layout, start } = await setUp(t);
  const { digest, size } = await layout.blob(big);
  const small = await layout.blob('small');
  const { store, buffers } = await start();
  const body = await store.open(digest, 0, size, never);
  await body.next();
  await truncate(blobPath(layout.directory, digest), 1_000_000);
  await assert.rejects(readAll(body), (error) => errorCodeOf(error) === 'STORE_FAILED');
  await until(() => store.pending() === 0 && buffers.pending() === 0);
  await layout.removeBlob(small.digest);
  await assert.rejects(
    store.open(small.digest, 0, 5, never).then(readAll),
    (error) => errorCodeOf(error) === 'CONTENT_ABSENT',
  );
});

test('oci-layout: no link leads out of the directory, and no digest is a path', async (t) => {
  const { layout, start } = await setUp(t);
  const outside = await mkdtemp(join(tmpdir(), 'peili-outside-'));
  t.after(() => rm(outside, { recursive: true }));
  await writeFile(join(outside, 'secret'), 'secret');
  const digest = `sha256:${'b'.repeat(64)}`;
  await symlink(join(outside, 'secret'), blobPath(layout.directory, digest));
  const { store } = await start();
  assert.equal(await store.info(digest, never), undefined);
  for (const hostile of [digest, 'sha256:../../index.json', '../oci-layout:x', '']) {
    await assert.rejects(store.open(hostile, 0, 1, never), (error) => errorCodeOf(error) === 'CONTENT_ABSENT');
  }
  for (const sizeBytes of [6, 100_000]) {
    const swapped = await layout.blob(new Uint8Array(sizeBytes));
    await store.list(never);
    await writeFile(join(outside, 'secret'), 's'.repeat(sizeBytes));
    await layout.removeBlob(swapped.digest);
    await symlink(join(outside, 'secret'), blobPath(layout.directory, swapped.digest));
    await assert.rejects(
      store.open(swapped.digest, 0, 6, never).then(readAll),
      (error) => errorCodeOf(error) === 'CONTENT_ABSENT',
    );
  }
});

test('oci-layout: blobs/sha256 as a link to elsewhere holds no content', async (t) => {
  const { layout, start } = await setUp(t);
  const other = await createLayoutFixture();
  t.after(() => other.remove());
  await other.blob('elsewhere');
  await rm(join(layout.directory, 'blobs', 'sha256'), { recursive: true });
  await symlink(join(other.directory, 'blobs', 'sha256'), join(layout.directory, 'blobs', 'sha256'));
  const { store } = await start();
  assert.deepEqual((await store.list(never)).contents, []);
});

test('oci-layout: a small file is read again when it has changed, and kept while it has not', async (t) => {
  const { layout, start } = await setUp(t);
  const { digest } = await layout.blob('first bytes');
  const { store } = await start();
  const read = async () => (await readAll(await store.open(digest, 0, 11, never))).toString();
  assert.equal(await read(), 'first bytes');
  assert.equal(await read(), 'first bytes');
  await writeFile(blobPath(layout.directory, digest), 'other bytes');
  assert.equal(await read(), 'other bytes');
});

test('oci-layout: 64 bodies at once stay within the buffer budget and are whole', async (t) => {
  const { layout, start } = await setUp(t);
  const { digest, size } = await layout.blob(big);
  const { store, buffers } = await start();
  const bodies = await Promise.all(Array.from({ length: 64 }, () => store.open(digest, 0, size, never)));
  let mostBytes = 0;
  await Promise.all(
    bodies.map(async (body) => {
      let offset = 0;
      for (let step = await body.next(); step.done !== true; step = await body.next()) {
        mostBytes = Math.max(mostBytes, buffers.leasedBytes());
        assert.equal(Buffer.compare(step.value as Uint8Array, big.subarray(offset, offset + step.value.byteLength)), 0);
        offset += step.value.byteLength;
      }
      assert.equal(offset, size);
    }),
  );
  assert.ok(mostBytes > 0 && mostBytes <= defaultLimits.bufferBudgetBytes);
  await until(() => store.pending() === 0);
  assert.equal(buffers.leasedBytes(), 0);
});

test('oci-layout: a directory that is no layout is refused in one sentence that names it and the mend', async (t) => {
  const { layout } = await setUp(t);
  const open = (directory: string) =>
    createOciLayoutStore({ clock, buffers: createBufferPool(defaultLimits) }, { directory });
  const invalid = (path: string) => (error: unknown) => {
    assert.equal(errorCodeOf(error), 'STORE_INVALID');
    assert.match((error as Error).message, /: name an existing directory with an OCI image layout/);
    return (error as Error).message.startsWith(path);
  };
  const absent = join(layout.directory, 'absent');
  await assert.rejects(open(absent), invalid(absent));
  for (const part of ['blobs', 'index.json', 'oci-layout']) {
    await rm(join(layout.directory, part), { recursive: true });
    await assert.rejects(open(layout.directory), invalid(layout.directory));
  }
});
