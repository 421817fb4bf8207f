import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStage, megabyte } from '../containerd/testing/stage.ts';
import { Kernel } from '../kernel/kernel.ts';
import { FlowNetwork } from '../network/flow-network.ts';
import { Disk } from './disk.ts';
import { PageCache } from './page-cache.ts';

const second = 1_000_000;
const spec = {
  bytesPerSecond: 10 * megabyte,
  flushUs: 1_000,
  pageCacheBytes: 100 * megabyte,
  dirtyBytesMax: 20 * megabyte,
};

test('disk: writes are taken by memory, a flush waits for its own file, and a writer beyond what may wait is held back', async () => {
  const kernel = new Kernel({ drain: 'tick' });
  const disk = new Disk(kernel, new FlowNetwork(kernel), 'n0', spec);
  const ends: Record<string, number> = {};
  const note = (name: string) => () => {
    ends[name] = kernel.nowUs();
  };
  assert.equal(disk.write('a', 10 * megabyte), undefined);
  void disk.sync('a').then(note('a'));
  const held = disk.write('b', 15 * megabyte);
  assert.notEqual(held, undefined);
  void held?.then(note('held'));
  void disk.sync('b').then(note('b'));
  await kernel.run({ untilUs: 10 * second });
  const { a = 0, b = 0, held: heldUs = 0 } = ends;
  assert.ok(heldUs >= 0.5 * second && heldUs < 0.55 * second, `held back until ${heldUs}`);
  assert.ok(a >= second && a < 1.05 * second, `a is safe at ${a}`);
  assert.ok(b >= 2.5 * second && b < 2.55 * second, `b is safe at ${b}`);
  assert.equal(disk.dirtyBytes, 0);
});

test('disk: what was written lately is read from memory, what memory has lost from the disk', async () => {
  const kernel = new Kernel({ drain: 'tick' });
  const disk = new Disk(kernel, new FlowNetwork(kernel), 'n0', spec);
  void disk.write('a', 5 * megabyte);
  assert.equal(disk.read('a', 5 * megabyte, 5 * megabyte), undefined);
  await kernel.run({ untilUs: 10 * second });
  disk.dropCache();
  const began = kernel.nowUs();
  let took = 0;
  void disk.read('a', 5 * megabyte, 5 * megabyte)?.then(() => {
    took = kernel.nowUs() - began;
  });
  await kernel.run({ untilUs: 20 * second });
  assert.equal(took, 0.5 * second);
  assert.equal(disk.read('a', 5 * megabyte, 5 * megabyte), undefined);
});

test('page cache: what was not touched for longest goes first; a file that is larger than all of it is never whole', () => {
  const cache = new PageCache(10);
  cache.add('a', 4);
  cache.add('b', 4);
  assert.equal(cache.has('a', 4), true);
  cache.add('c', 4);
  assert.deepEqual(
    ['a', 'b', 'c'].map((file) => cache.has(file, 4)),
    [true, false, true],
  );
  cache.add('large', 30);
  assert.deepEqual(
    ['a', 'c'].map((file) => cache.has(file, 4)),
    [false, false],
  );
  assert.equal(cache.has('large', 30), false);
  cache.remove('large');
  cache.add('d', 10);
  assert.equal(cache.has('d', 10), true);
});

test('disk: a pull ends when its layers are written, flushed and unpacked; layers are unpacked in their order, each as it comes', async () => {
  const unpack = { layerUs: 10_000, bytesPerSecond: 100 * megabyte, ratioPercent: 200 };
  const layerBytes = [20 * megabyte, 20 * megabyte];
  const endOf = async (runtime: NonNullable<Parameters<typeof createStage>[0]>['runtime']): Promise<number> => {
    const stage = createStage({ layerBytes, ...(runtime === undefined ? {} : { runtime }) });
    const pull = stage.pullAt(0);
    await stage.run(1_000 * second);
    assert.equal(pull.outcome(), 'ok');
    return pull.endUs() / second;
  };
  const bare = await endOf({});
  assert.ok(bare > 0.4 && bare < 0.45, `${bare} s`);
  // Both layers come at the same time; then they are unpacked one after the other.
  const unpacked = await endOf({ unpack });
  assert.ok(unpacked > bare + 0.41 && unpacked < bare + 0.44, `${unpacked} s`);
  // 40 MB and a flush for each layer at 10 MB/s; what is unpacked waits in memory.
  const onDisk = await endOf({ disk: { ...spec, dirtyBytesMax: 1_000 * megabyte } });
  assert.ok(onDisk > 4 && onDisk < 4.2, `${onDisk} s`);
});
