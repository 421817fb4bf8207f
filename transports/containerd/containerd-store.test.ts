import { test } from 'node:test';
import assert from 'node:assert/strict';
import { rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCodeOf } from '../../core/index.ts';
import { types } from './testing/fake-containerd.ts';
import { never, readAll, setUpStore, until } from './testing/started-store.ts';

const reference = 'registry.example/library/busybox:1';
/** What is found must have been told by a file or an event: no list of everything comes soon. */
const noSecondLook = { storeScanRetryUs: 60_000_000 };
const big = new Uint8Array(3_000_000).map((_, index) => (index * 7 + (index >> 9)) & 255);

test('containerd: an imported image, without labels, is served under the name of its record; of an index only what is present', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const { root, config, layers } = await containerd.addImage(reference, ['one layer', big]);
  const elsewhere = { digest: `sha256:${'a'.repeat(64)}`, size: 500, mediaType: types.manifest };
  const index = await containerd.addBlob(JSON.stringify({ manifests: [root, elsewhere] }), { mediaType: types.index });
  containerd.setImage('registry.example/multi:2', index);
  const { store } = start();
  const { contents, tags } = await store.list(never);
  assert.equal(contents.length, 5);
  for (const { digest, size, mediaType } of [root, config, ...layers]) {
    const names = [reference, 'registry.example/multi:2'];
    assert.deepEqual(await store.info(digest, never), { digest, sizeBytes: size, mediaType, names });
  }
  assert.equal(await store.info(elsewhere.digest, never), undefined, 'another platform is not here');
  assert.deepEqual(tags.map((tag) => tag.reference).toSorted(), [reference, 'registry.example/multi:2']);
  const body = await store.open(layers[1]!.digest, 0, big.byteLength, never);
  assert.deepEqual(await readAll(body), Buffer.from(big));
});

test('containerd: content of another namespace is not served, though its file lies beside; it is once the own namespace has it too', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const other = await containerd.addImage(reference, ['private'], 'moby');
  const { store, changes } = start(noSecondLook);
  assert.deepEqual(await store.list(never), { contents: [], tags: [] });
  const late = await containerd.addImage('registry.example/late:1', ['later'], 'moby');
  const own = await containerd.addBlob('own');
  await until(() => changes.some((change) => change.type === 'content-added' && change.content.digest === own.digest));
  for (const { digest } of [other.root, ...other.layers, late.root, ...late.layers]) {
    assert.equal(await store.info(digest, never), undefined);
    await assert.rejects(store.open(digest, 0, 1, never), (error) => errorCodeOf(error) === 'CONTENT_ABSENT');
  }
  assert.equal(await store.resolve(reference, never), undefined);
  // Shared content makes no new file: the image's own event must be enough.
  await containerd.addImage(reference, ['private']);
  await until(async () => (await store.info(other.layers[0]!.digest, never))?.names[0] === reference);
});

test('containerd: names that can never be asked for are told once, ids of CRI never, and both stop nothing', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const { root } = await containerd.addImage(reference, ['x']);
  containerd.setImage('registry.example/UPPER:1', root);
  containerd.setImage(root.digest, root);
  const { store, events } = start();
  await store.list(never);
  containerd.setImage('registry.example/UPPER:1', root);
  containerd.setImage('registry.example/late:1', root);
  await until(async () => (await store.resolve('registry.example/late:1', never)) !== undefined);
  await store.list(never);
  const skipped = events.flatMap((event) => (event.type === 'name-skipped' ? [event.name] : []));
  assert.deepEqual(skipped, ['registry.example/UPPER:1']);
  assert.deepEqual((await store.info(root.digest, never))?.names, ['registry.example/late:1', reference]);
});

test('containerd: a tag was resolved when its record was last updated; a record with tag and digest resolves none', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const { root } = await containerd.addImage(reference, ['x']);
  containerd.setImage(`registry.example/pinned:1@${root.digest}`, root);
  const { store, changes } = start();
  const { tags } = await store.list(never);
  assert.equal(tags.length, 1);
  assert.ok(Math.abs(Date.now() * 1000 - tags[0]!.resolvedAtUs) < 60_000_000);
  assert.deepEqual((await store.info(root.digest, never))?.names, [
    'registry.example/library/busybox:1',
    'registry.example/pinned:1',
  ]);
  await until(() => Date.now() * 1000 > tags[0]!.resolvedAtUs + 2_000);
  containerd.setImage(reference, root);
  await until(() =>
    changes.some((change) => change.type === 'tag-set' && change.tag.resolvedAtUs > tags[0]!.resolvedAtUs),
  );
});

test('containerd: labels name what no image names yet, however late they come, and give way to an image', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const { store } = start(noSecondLook);
  await store.list(never);
  const layer = await containerd.addBlob('pulled', { mediaType: types.layer });
  await until(async () => (await store.info(layer.digest, never)) !== undefined);
  containerd.setLabels(layer.digest, {
    'containerd.io/distribution.source.docker.io': 'library/busybox,library/other',
    'containerd.io/distribution.source.ghcr.io': 'NOT/a/name',
    'containerd.io/gc.ref.content.0': 'sha256:x',
  });
  const isNamed = async (...names: string[]) =>
    String((await store.info(layer.digest, never))?.names) === String(names);
  await until(() => isNamed('docker.io/library/busybox', 'docker.io/library/other'));
  await containerd.addImage(reference, ['pulled']);
  await until(() => isNamed(reference));
});

test('containerd: a file of another size than containerd says is no content, before and after it became so', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const { layers } = await containerd.addImage(reference, ['short from the start', big]);
  await truncate(containerd.file(layers[0]!.digest), 3);
  const { store, changes } = start(noSecondLook);
  const { contents } = await store.list(never);
  assert.equal(contents.length, 3);
  assert.equal(await store.info(layers[0]!.digest, never), undefined);
  const body = await store.open(layers[1]!.digest, 0, big.byteLength, never);
  await body.next();
  await truncate(containerd.file(layers[1]!.digest), 1_500_000);
  await assert.rejects(readAll(body), (error) => errorCodeOf(error) === 'STORE_FAILED');
  await until(() => changes.some((change) => change.type === 'content-removed' && change.digest === layers[1]!.digest));
});

test('containerd: a file that has another size by now is not opened, and not read through the socket either', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const { layers } = await containerd.addImage(reference, [big]);
  // Before anybody has looked again.
  const { store } = start({ ...noSecondLook, storeScanDelayUs: 60_000_000 });
  await store.list(never);
  const digest = layers[0]!.digest;
  await truncate(containerd.file(digest), 1_500_000);
  await assert.rejects(store.open(digest, 0, 1_000_000, never), (error) => errorCodeOf(error) === 'STORE_FAILED');
  assert.equal(containerd.calls.get('Content.Read'), undefined);
});

test('containerd: where no file is seen, content is read through the socket, and that is said with what to do', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const { layers } = await containerd.addImage(reference, ['small', big]);
  const { store, events, buffers } = start({}, { contentPath: '/nonexistent' });
  await store.list(never);
  const told = events.find((event) => event.type === 'store-connection');
  assert.match(told?.type === 'store-connection' ? told.reason : '', /through its socket.*--containerd-content-path/);
  assert.deepEqual(
    await readAll(await store.open(layers[1]!.digest, 7, 2_000_007, never)),
    Buffer.from(big.subarray(7, 2_000_007)),
  );
  assert.equal((await store.info(layers[0]!.digest, never))?.names[0], reference);
  await until(() => store.pending() === 0 && buffers.pending() === 0);
});

test('containerd: a file that cannot be opened is read through the socket', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const { layers } = await containerd.addImage(reference, [big]);
  const { store } = start();
  await store.list(never);
  const digest = layers[0]!.digest;
  const copy = join(containerd.contentPath, 'ingest', 'copy');
  await writeFile(copy, big);
  containerd.readsFrom = () => copy;
  // A link is not followed: it could lead anywhere.
  await unlink(containerd.file(digest));
  await symlink(copy, containerd.file(digest));
  containerd.calls.clear();
  assert.deepEqual(await readAll(await store.open(digest, 0, big.byteLength, never)), Buffer.from(big));
  assert.ok((containerd.calls.get('Content.Read') ?? 0) > 1);
});

test('containerd: an image that is removed while it is served is served to the end', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const { root, layers } = await containerd.addImage(reference, [big]);
  const { store, changes } = start(noSecondLook);
  await store.list(never);
  const digest = layers[0]!.digest;
  const body = await store.open(digest, 0, big.byteLength, never);
  const first = await body.next();
  const head = Uint8Array.from(first.value as Uint8Array);
  containerd.removeImage(reference);
  for (const gone of [root.digest, digest]) await containerd.removeBlob(gone);
  await until(() => changes.some((change) => change.type === 'content-removed' && change.digest === digest));
  assert.deepEqual(Buffer.concat([head, await readAll(body)]), Buffer.from(big));
  assert.equal(await store.info(digest, never), undefined);
  await assert.rejects(store.open(digest, 0, 1, never), (error) => errorCodeOf(error) === 'CONTENT_ABSENT');
});

test('containerd: hostile content has no more than its own bytes', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const victim = await containerd.addImage('registry.example/victim:1', ['secret']);
  const calls = (text: string) => containerd.addBlob(text, { mediaType: types.manifest });
  const lying = await calls(
    JSON.stringify({
      mediaType: 'a/b\r\nx: y',
      config: { ...victim.root, mediaType: 'text/html' },
      layers: [{ digest: '../../x', size: 1 }, 7, null],
    }),
  );
  const broken = await calls('{"layers": [');
  const many = Array.from({ length: 9_000 }, (_, at) => ({
    digest: `sha256:${String(at).padStart(64, '0')}`,
    size: 1,
  }));
  const huge = await calls(JSON.stringify({ layers: [...many, victim.layers[0]] }));
  for (const [at, root] of [lying, broken, huge].entries()) containerd.setImage(`registry.example/hostile:${at}`, root);
  containerd.setImage('registry.example/nothing:1', { digest: 'sha256:../../../etc/passwd', size: 1 });
  containerd.removeImage('registry.example/victim:1');
  const { store, events } = start();
  const { contents, tags } = await store.list(never);
  assert.equal(contents.length, 6);
  // The hostile ones have had the first word.
  containerd.setImage('registry.example/victim:1', victim.root);
  await until(async () => (await store.resolve('registry.example/victim:1', never)) !== undefined);
  assert.equal(tags.length, 3, 'what is no digest is no tag');
  const info = await store.info(victim.root.digest, never);
  assert.equal(info?.mediaType, types.manifest, 'a manifest says itself what it is');
  assert.equal((await store.info(lying.digest, never))?.mediaType, types.manifest);
  const names = (await store.info(victim.layers[0]!.digest, never))?.names;
  assert.deepEqual(
    names,
    ['registry.example/hostile:0', 'registry.example/victim:1'],
    'an image names so much and no more',
  );
  containerd.setImage('registry.example/nothing:2', { digest: 'sha256:../../../etc/passwd', size: 1 });
  containerd.setImage('registry.example/last:1', victim.root);
  await until(async () => (await store.resolve('registry.example/last:1', never)) !== undefined);
  assert.ok(events.every((event) => event.type !== 'store-connection' || event.connected));
  for (const digest of ['../oci-layout', 'sha256:../../index.json', '']) {
    await assert.rejects(store.open(digest, 0, 1, never), (error) => errorCodeOf(error) === 'CONTENT_ABSENT');
  }
});

test('containerd: a directory of blobs that comes later, or is made anew, is watched', async (t) => {
  const { containerd, start } = await setUpStore(t);
  await rm(join(containerd.contentPath, 'blobs'), { recursive: true });
  const { store, changes } = start();
  await store.list(never);
  const { mkdir } = await import('node:fs/promises');
  await mkdir(join(containerd.contentPath, 'blobs', 'sha256'), { recursive: true });
  const first = await containerd.addBlob('first');
  const isAdded = (digest: string) => () =>
    changes.some((change) => change.type === 'content-added' && change.content.digest === digest);
  await until(isAdded(first.digest));
  const second = await containerd.addBlob('second');
  await until(isAdded(second.digest));
});

test('containerd: where no file tells, events do; whoever does not say where its content lies has it at the usual place', async (t) => {
  const { containerd, start } = await setUpStore(t);
  containerd.exportedRoot = undefined;
  containerd.hasContentEvents = true;
  await containerd.addBlob('something');
  const { store, events } = start({ ...noSecondLook, reconcileIntervalUs: 60_000_000 });
  await store.list(never);
  const told = events.find((event) => event.type === 'store-connection');
  assert.match(told?.type === 'store-connection' ? told.reason : '', / \/var\/lib\/containerd\/.* cannot be seen/);
  const { digest } = await containerd.addBlob('pulled');
  await until(async () => (await store.info(digest, never)) !== undefined);
});
