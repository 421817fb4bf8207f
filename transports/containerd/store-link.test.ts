import { test } from 'node:test';
import assert from 'node:assert/strict';
import { errorCodeOf } from '../../core/index.ts';
import type { NodeEvent } from '../../core/index.ts';
import { never, readAll, setUpStore, until } from './testing/started-store.ts';

const reference = 'registry.example/library/busybox:1';
const other = 'registry.example/library/other:1';

function connections(events: readonly NodeEvent[]): boolean[] {
  const told = events.flatMap((event) => (event.type === 'store-connection' ? [event.connected] : []));
  return told.filter((connected, at) => connected !== told[at - 1]);
}

test('containerd: its restart neither loses nor invents anything, and what is known is served meanwhile', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const { layers } = await containerd.addImage(reference, ['kept']);
  const { store, events, changes } = start();
  await store.list(never);
  assert.deepEqual(store.readiness(), { ready: true, reason: 'containerd 2.1.9' });
  const before = changes.length;
  await containerd.stop();
  await until(() => connections(events).at(-1) === false);
  assert.equal(changes.length, before, 'nothing is withdrawn');
  assert.equal(store.readiness().ready, true);
  assert.ok((await store.resolve(reference, never)) !== undefined);
  const body = await store.open(layers[0]!.digest, 0, 4, never);
  assert.equal(Buffer.from(await readAll(body)).toString(), 'kept');
  await assert.rejects(store.list(never), (error) => errorCodeOf(error) === 'CONTAINERD_UNREACHABLE');
  await containerd.start();
  await until(() => connections(events).at(-1) === true);
  assert.deepEqual(connections(events), [true, false, true]);
  assert.deepEqual(
    changes.slice(before).map(({ type }) => type),
    ['gap'],
    'whoever could not list is told to',
  );
  assert.equal((await store.list(never)).contents.length, 3);
});

test('containerd: what happened while it was away is found when it is back', async (t) => {
  const { containerd, start } = await setUpStore(t);
  await containerd.addImage(reference, ['goes']);
  const { store, events, changes } = start();
  await store.list(never);
  await containerd.stop();
  await until(() => connections(events).at(-1) === false);
  containerd.removeImage(reference);
  const { root } = await containerd.addImage(other, ['comes']);
  assert.equal(await store.resolve(other, never), undefined);
  await containerd.start();
  await until(() => changes.some((change) => change.type === 'tag-set' && change.tag.digest === root.digest));
  assert.ok(changes.some((change) => change.type === 'tag-removed' && change.reference === reference));
});

test('containerd: a stream of events that ends is opened again, and everything is listed after it', async (t) => {
  const { containerd, start } = await setUpStore(t);
  const { store, events } = start({ storeScanRetryUs: 60_000_000 });
  await store.list(never);
  const lists = containerd.calls.get('Content.List') ?? 0;
  containerd.hasImageEvents = false;
  await containerd.addImage(reference, ['unheard']);
  containerd.cutEvents();
  await until(async () => (await store.resolve(reference, never)) !== undefined);
  assert.ok((containerd.calls.get('Content.List') ?? 0) > lists);
  containerd.hasImageEvents = true;
  await until(() => connections(events).at(-1) === true);
  await containerd.addImage(other, ['heard']);
  await until(async () => (await store.resolve(other, never)) !== undefined);
});

test('containerd: what no event told is found by the next list of everything, whoever makes it', async (t) => {
  const { containerd, start } = await setUpStore(t);
  containerd.hasImageEvents = false;
  const patient = start({ storeScanRetryUs: 60_000_000 });
  const own = start({ storeScanRetryUs: 60_000_000, reconcileIntervalUs: 100_000 });
  await Promise.all([patient.store.list(never), own.store.list(never)]);
  await containerd.addImage(reference, ['unheard']);
  await until(async () => (await own.store.resolve(reference, never)) !== undefined);
  assert.equal(await patient.store.resolve(reference, never), undefined);
  await patient.store.list(never);
  assert.ok((await patient.store.resolve(reference, never)) !== undefined);
});

test('containerd: a list that fails is not taken for an empty store', async (t) => {
  const { containerd, start } = await setUpStore(t);
  await containerd.addImage(reference, ['kept']);
  const { store, events, changes } = start();
  await store.list(never);
  const before = changes.length;
  containerd.broken.add('Content.List');
  await assert.rejects(store.list(never), (error) => errorCodeOf(error) === 'CONTAINERD_FAILED');
  await until(() => connections(events).at(-1) === false);
  assert.equal(changes.length, before);
  containerd.broken.clear();
  await until(() => connections(events).at(-1) === true);
  assert.equal((await store.list(never)).contents.length, 3);
});

test('containerd: a start without it keeps trying, says where and what to do, and is not ready until it is there', async (t) => {
  const { containerd, start } = await setUpStore(t);
  await containerd.addImage(reference, ['late']);
  await containerd.stop();
  const { store, events, changes } = start();
  await assert.rejects(store.list(never), (error) => errorCodeOf(error) === 'CONTAINERD_UNREACHABLE');
  const told = events.find((event) => event.type === 'store-connection');
  assert.ok(told?.type === 'store-connection' && !told.connected);
  assert.ok(told.reason.startsWith(`nothing answers at ${containerd.socket}: look whether containerd runs`));
  assert.deepEqual(store.readiness(), { ready: false, reason: told.reason });
  await containerd.start();
  await until(() => changes.some(({ type }) => type === 'gap'));
  assert.equal(store.readiness().ready, true);
  assert.equal((await store.list(never)).tags.length, 1);
});

test('containerd: one that hangs is given up after its time, and tried again', async (t) => {
  const { containerd, start } = await setUpStore(t);
  await containerd.addImage(reference, ['kept']);
  const { store, events } = start({ containerdListTimeoutUs: 150_000 });
  await store.list(never);
  containerd.hung.add('Content.List');
  await assert.rejects(store.list(never), (error) => errorCodeOf(error) === 'CONTAINERD_UNREACHABLE');
  await until(() => connections(events).at(-1) === false);
  assert.ok((await store.resolve(reference, never)) !== undefined);
  containerd.hung.clear();
  await until(() => connections(events).at(-1) === true);
});

test('containerd: a change costs questions about itself, however much else there is', async (t) => {
  const { containerd, start } = await setUpStore(t);
  await Promise.all(Array.from({ length: 300 }, (_, at) => containerd.addBlob(`content ${at}`)));
  const { store } = start({ storeScanRetryUs: 60_000_000 });
  await store.list(never);
  containerd.calls.clear();
  await containerd.addImage(reference, ['one', 'two']);
  await until(async () => (await store.resolve(reference, never)) !== undefined);
  await until(() => store.pending() === 0);
  assert.equal(containerd.calls.get('Content.List'), undefined);
  const questions = containerd.calls.get('Content.Info') ?? 0;
  assert.ok(questions <= 40, `${questions} questions about 4 contents`);
});

test('containerd: many changes at once cost one list', async (t) => {
  const { containerd, start } = await setUpStore(t);
  // All of them come while the first is waited for.
  const { store } = start({ storeScanRetryUs: 60_000_000, storeScanDelayUs: 400_000 });
  await store.list(never);
  containerd.calls.clear();
  const burst = Array.from({ length: 200 }, (_, at) => containerd.addBlob(`content ${at}`));
  const last = (await Promise.all(burst)).at(-1)!;
  await until(async () => (await store.info(last.digest, never)) !== undefined);
  assert.ok((containerd.calls.get('Content.List') ?? 0) >= 1);
  const questions = containerd.calls.get('Content.Info') ?? 0;
  assert.ok(questions < 100, `${questions} questions`);
});

test('containerd: one that answers, and cannot be read, is tried again less and less often', async (t) => {
  const { containerd, start } = await setUpStore(t);
  containerd.broken.add('Content.List');
  containerd.calls.clear();
  const startMs = performance.now();
  start({ containerdRetryMinUs: 1_000, containerdRetryMaxUs: 8_000_000 });
  // 1 ms, 2 ms, ... 256 ms.
  await until(() => (containerd.calls.get('Content.List') ?? 0) >= 10);
  assert.ok(performance.now() - startMs >= 511);
});
