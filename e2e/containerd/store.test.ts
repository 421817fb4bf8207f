import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { contentStoreSuite } from '../../core/conformance/index.ts';
import type { AddedContent, ContentStoreSubject } from '../../core/conformance/index.ts';
import { defaultLimits } from '../../core/index.ts';
import type { NodeEvent, StoreChange } from '../../core/index.ts';
import { bytesBlob, createImage, descriptorOf, jsonBlob, startUpstream, writeOciLayout } from '../../testbed/index.ts';
import type { TestImage } from '../../testbed/index.ts';
import { createBufferPool, createContainerdStore, createSystemClock } from '../../transports/index.ts';
import type { ContainerdStore } from '../../transports/index.ts';
import { namespace, startContainerd } from './own-containerd.ts';
import type { OwnContainerd } from './own-containerd.ts';

const never = new AbortController().signal;
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const layerType = 'application/vnd.oci.image.layer.v1.tar';

before(() => {
  // A capsule's loopback interface is down at first.
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
});

async function importImage(containerd: OwnContainerd, image: TestImage): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'peili-import-'));
  try {
    await writeOciLayout([image], join(work, 'layout'));
    const archive = join(work, 'image.tar');
    execFileSync('tar', ['-C', join(work, 'layout'), '--exclude', './ingest', '-cf', archive, '.']);
    await containerd.ctr('images', 'import', '--no-unpack', archive);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** An image of these very layers. */
function imageOf(name: string, layers: readonly Uint8Array[]): TestImage {
  const made = layers.map((bytes) => bytesBlob(bytes, layerType));
  const rootfs = { type: 'layers', diff_ids: made.map(({ digest }) => digest) };
  const config = jsonBlob({ architecture: 'amd64', os: 'linux', rootfs }, 'application/vnd.oci.image.config.v1+json');
  const manifest = jsonBlob(
    { schemaVersion: 2, mediaType: manifestType, config: descriptorOf(config), layers: made.map(descriptorOf) },
    manifestType,
  );
  const [registry = '', ...rest] = name.split('/');
  const [repository = '', tag = ''] = rest.join('/').split(':');
  const blobs = new Map([manifest, config, ...made].map((blob) => [blob.digest, blob]));
  return { name, registry, repository, tag, root: descriptorOf(manifest), blobs };
}

async function createSubject(): Promise<ContentStoreSubject> {
  const containerd = await startContainerd();
  const clock = createSystemClock();
  const buffers = createBufferPool(defaultLimits);
  // The store's own timers are no call's: what calls leave behind is counted by a clock of their own.
  const { socket } = containerd;
  const store = createContainerdStore({ clock: createSystemClock(), buffers }, { socket, namespace });
  await store.list(never);
  return {
    store,
    addImage: async (reference, layers) => {
      const image = imageOf(reference, layers);
      await importImage(containerd, image);
      const added = [...image.blobs.values()].map(({ digest, sizeBytes, mediaType }) => ({
        digest,
        sizeBytes,
        mediaType,
      }));
      const [manifest, , ...rest] = added as [AddedContent, AddedContent, ...AddedContent[]];
      return { manifest, layers: rest };
    },
    removeContent: async (digest) => {
      await containerd.ctr('content', 'rm', digest);
    },
    removeTag: async (reference) => {
      await containerd.ctr('images', 'rm', reference);
    },
    truncate: (digest, sizeBytes) => truncate(join(containerd.contentPath, 'blobs', ...digest.split(':')), sizeBytes),
    pending: () => store.pending() + buffers.pending() + clock.pending(),
    close: async () => {
      store.close();
      await containerd.remove();
    },
  };
}

contentStoreSuite({
  test,
  assert,
  pause: () => pause(10),
  manifest: { name: 'real containerd', supports: { truncation: true, 'media-types': true } },
  factory: createSubject,
});

interface Watched {
  readonly containerd: OwnContainerd;
  readonly store: ContainerdStore;
  readonly events: NodeEvent[];
  readonly changes: StoreChange[];
}

const watched: Partial<Watched> = {};

/** One containerd for the laws that need no empty one. */
async function watch(): Promise<Watched> {
  const containerd = watched.containerd ?? (await startContainerd());
  const events: NodeEvent[] = [];
  const changes: StoreChange[] = [];
  const observer = { onPull: () => undefined, onNode: (event: NodeEvent) => void events.push(event) };
  const store = createContainerdStore(
    { clock: createSystemClock(), buffers: createBufferPool(defaultLimits), observer },
    { socket: containerd.socket, namespace },
  );
  watched.store?.close();
  Object.assign(watched, { containerd, store });
  store.watch((change) => void changes.push(change));
  await store.list(never);
  return { containerd, store, events, changes };
}

after(async () => {
  watched.store?.close();
  await watched.containerd?.remove();
});

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let pauses = 0; !(await condition()); pauses += 1) {
    if (pauses === 1_500) throw new Error(`never happened: ${what}`);
    await pause(10);
  }
}

test('real containerd: a pulled image has the name of its tag, port and all, on every blob, and no other name', async (t) => {
  const { containerd, store, events } = await watch();
  t.diagnostic(`containerd ${containerd.version}`);
  const made = await createImage({ name: 'registry.example/team/pulled:1', layers: [{ sizeBytes: 200_000 }], seed: 7 });
  const upstream = await startUpstream({ content: [made] });
  t.after(() => upstream.close());
  const name = `127.0.0.1:${upstream.port}/team/pulled:1`;
  await containerd.ctr('images', 'pull', '--plain-http', '--platform', 'linux/amd64', name);
  await until('every blob has the name', async () => {
    const infos = await Promise.all([...made.blobs.keys()].map((digest) => store.info(digest, never)));
    return infos.every((info) => String(info?.names) === name);
  });
  const tag = await store.resolve(name, never);
  assert.equal(tag?.digest, made.root.digest);
  assert.ok(Math.abs(Date.now() * 1000 - tag.resolvedAtUs) < 60_000_000);
  assert.deepEqual(
    events.filter(({ type }) => type === 'name-skipped'),
    [],
    "CRI's records of ids are no names",
  );
});

test('real containerd: an index imported for one platform has that platform alone', async (t) => {
  const { containerd, store } = await watch();
  const platforms = ['linux/amd64', 'linux/s390x'];
  const image = await createImage({
    name: 'registry.example/team/multi:1',
    layers: [{ sizeBytes: 20_000 }],
    platforms,
  });
  const upstream = await startUpstream({ content: [image] });
  t.after(() => upstream.close());
  const name = `127.0.0.1:${upstream.port}/team/multi:1`;
  await containerd.ctr('images', 'pull', '--plain-http', '--platform', 'linux/amd64', name);
  const isPresent = async (digest: string): Promise<boolean> => (await store.info(digest, never)) !== undefined;
  const listed = (await containerd.ctr('content', 'ls', '-q')).split('\n');
  const digests = [...image.blobs.keys()];
  await until('what containerd has is there', async () => {
    const present = await Promise.all(digests.map(isPresent));
    return digests.every((digest, at) => present[at] === listed.includes(digest));
  });
  const { contents } = await store.list(never);
  assert.deepEqual(
    contents.map(({ digest }) => digest).toSorted(),
    listed.filter((digest) => digest !== '').toSorted(),
  );
  assert.ok(
    digests.some((digest) => !listed.includes(digest)),
    'the other platform is not here',
  );
});

test('real containerd: killed and started again, it is read again; what was known is served meanwhile', async () => {
  const { containerd, store, events, changes } = await watch();
  const image = imageOf('registry.example/team/kept:1', [new Uint8Array(300_000).fill(7)]);
  await importImage(containerd, image);
  await until('the tag is known', async () => (await store.resolve(image.name, never)) !== undefined);
  await until('it has come to rest', () => store.pending() === 0);
  const layer = [...image.blobs.keys()].at(-1) ?? '';
  const said = changes.length;
  await containerd.kill();
  await until('that is noticed', () => events.some((event) => event.type === 'store-connection' && !event.connected));
  assert.deepEqual(changes.slice(said), [], 'nothing is withdrawn');
  const body = await store.open(layer, 0, 300_000, never);
  assert.ok((await body.next()).done !== true);
  await body.return();
  await assert.rejects(store.list(never));
  await containerd.start();
  await until('it is connected again', () => changes.some(({ type }) => type === 'gap'));
  // At its start its garbage collection may take what no image needs, and CRI may write the image's record once more.
  const isHarmless = (change: StoreChange): boolean =>
    (change.type === 'content-removed' && !image.blobs.has(change.digest)) ||
    (change.type === 'tag-set' && change.tag.digest === image.root.digest);
  const told = changes.slice(said).filter((change) => !isHarmless(change));
  assert.deepEqual(told, [{ type: 'gap', reason: 'containerd answers again' }]);
  await containerd.ctr('images', 'tag', image.name, 'registry.example/team/later:1');
  await until(
    'events are heard again',
    async () => (await store.resolve('registry.example/team/later:1', never)) !== undefined,
  );
});

test('real containerd: an image removed with its content is withdrawn, and a body that is open goes on', async () => {
  const { containerd, store } = await watch();
  const bytes = new Uint8Array(3_000_000).map((_, at) => (at * 13 + (at >> 8)) & 255);
  const image = imageOf('registry.example/team/removed:1', [bytes]);
  await importImage(containerd, image);
  await until('the tag is known', async () => (await store.resolve(image.name, never)) !== undefined);
  const layer = [...image.blobs.keys()].at(-1) ?? '';
  const body = await store.open(layer, 0, bytes.byteLength, never);
  const parts = [Buffer.from((await body.next()).value as Uint8Array)];
  const records = (await containerd.ctr('images', 'ls')).split('\n').filter((line) => line.includes(image.root.digest));
  const ids = (await containerd.ctr('images', 'ls', '-q')).split('\n').filter((name) => name.startsWith('sha256:'));
  const names = [...records.map((line) => line.split(/\s+/)[0] ?? ''), ...ids];
  await containerd.ctr('images', 'rm', '--sync', ...names);
  await until('the layer is gone', async () => (await store.info(layer, never)) === undefined);
  for (let step = await body.next(); step.done !== true; step = await body.next()) {
    parts.push(Buffer.from(step.value as Uint8Array));
  }
  assert.ok(Buffer.concat(parts).equals(Buffer.from(bytes)));
  assert.equal(await store.resolve(image.name, never), undefined);
});

test('real containerd: without a sight of its files, content comes through the socket', async () => {
  const { containerd } = await watch();
  const bytes = new Uint8Array(2_500_000).map((_, at) => (at * 5 + (at >> 9)) & 255);
  const image = imageOf('registry.example/team/unseen:1', [bytes]);
  await importImage(containerd, image);
  const buffers = createBufferPool(defaultLimits);
  const { socket } = containerd;
  const store = createContainerdStore(
    { clock: createSystemClock(), buffers },
    { socket, namespace, contentPath: '/nowhere' },
  );
  try {
    await store.list(never);
    const body = await store.open([...image.blobs.keys()].at(-1) ?? '', 1, bytes.byteLength, never);
    const parts: Buffer[] = [];
    for (let step = await body.next(); step.done !== true; step = await body.next()) {
      parts.push(Buffer.from(step.value as Uint8Array));
    }
    assert.ok(Buffer.concat(parts).equals(Buffer.from(bytes.subarray(1))));
  } finally {
    store.close();
  }
});
