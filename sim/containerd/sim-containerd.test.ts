import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeiliError } from '../../core/index.ts';
import type { Body } from '../../core/index.ts';
import type { SimContent } from '../content/catalogue.ts';
import { SymbolChunk } from '../content/symbols.ts';
import { Turns } from './turns.ts';
import { bytesPerSecond, createStage, megabyte } from './testing/stage.ts';
import type { Asked } from './testing/stage.ts';

const second = 1_000_000;
const hour = 3_600 * second;
const text = ({ of, what, range }: Asked): string => [of, what, range ?? ''].join(' ').trim();
const isLayer = (
  { request }: { readonly request: { readonly target: string; readonly method: string } },
  digest: string,
) => request.target.includes(digest);

test('containerd: HEAD of the tag, then the manifest by its digest, the config, and the layers; the first host is asked for all of it', async () => {
  const stage = createStage({ layerBytes: [megabyte, 2 * megabyte] });
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'ok');
  assert.deepEqual(stage.asked.map(text), [
    'mirror HEAD manifests/tag',
    'mirror GET manifests/root',
    'mirror GET blobs/config',
    'mirror GET blobs/0',
    'mirror GET blobs/1',
  ]);
  // A dial, then there and back for each of the four steps, and the bytes of the layers over one cable.
  const bytes = stage.image.manifest.sizeBytes + 4_096 + 3 * megabyte;
  const leastUs = 5 * 1_000 + (bytes * second) / bytesPerSecond;
  assert.ok(pull.endUs() >= leastUs && pull.endUs() < leastUs * 1.2, `${pull.endUs()} us, not ${leastUs}`);
});

test('containerd: an error status, a refusal and a connection that breaks before the head go on to the next host at once, for each request anew', async () => {
  const stage = createStage({ hosts: ['one', 'two', 'upstream'] });
  stage.fault('one', () => ({ kind: 'refuse' }));
  stage.fault('two', ({ request }) => (request.target.includes('blobs') ? { kind: 'status', status: 404 } : undefined));
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'ok');
  assert.deepEqual(stage.asked.slice(0, 6).map(text), [
    'one HEAD manifests/tag',
    'two HEAD manifests/tag',
    'one GET manifests/root',
    'two GET manifests/root',
    'one GET blobs/config',
    'two GET blobs/config',
  ]);
  assert.ok(pull.endUs() < 0.2 * second);
});

test('containerd: 408 and 429 are asked again of the same host, six times in all; 503 is not, but of the last host', async () => {
  for (const [name, status, times] of [
    ['mirror', 429, 6],
    ['mirror', 408, 6],
    ['mirror', 503, 1],
    ['upstream', 503, 2],
  ] as const) {
    const stage = createStage();
    const [layer] = stage.image.layers;
    stage.fault('mirror', (call) =>
      isLayer(call, layer?.digest ?? '') ? { kind: 'status', status: name === 'mirror' ? status : 404 } : undefined,
    );
    if (name === 'upstream') stage.fault(name, () => ({ kind: 'status', status }));
    const pull = stage.pullAt(0);
    await stage.run(hour);
    assert.equal(pull.outcome(), name === 'mirror' ? 'ok' : 'no-host');
    const asked = stage.asked.filter((request) => request.of === name && request.what === 'GET blobs/0');
    assert.equal(asked.length, times, `${status} of ${name}`);
  }
});

test('containerd: a dial that nobody answers takes the time-out of hosts.toml for a mirror, and 30 s for the upstream', async () => {
  const stage = createStage();
  for (const name of ['mirror', 'upstream']) stage.fault(name, () => ({ kind: 'black-hole' }));
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'no-host');
  assert.equal(pull.endUs(), 200_000 + 30_000_000);
});

test('containerd: a head that never comes is a pull that never ends', async () => {
  const stage = createStage();
  stage.fault('mirror', () => ({ kind: 'silent-head' }));
  const pull = stage.pullAt(0);
  await stage.run(24 * hour);
  assert.equal(pull.outcome(), 'pending');
});

test('containerd: a head of a layer that never comes is no activity either, while nothing else flows', async () => {
  const stage = createStage();
  stage.fault('mirror', ({ request }) => (request.target.includes('blobs') ? { kind: 'silent-head' } : undefined));
  const pull = stage.pullAt(0);
  await stage.run(24 * hour);
  assert.equal(pull.outcome(), 'pending');
});

test('containerd 1.7: there the timer counts requests: a head that never comes ends the pull after 5 minutes', async () => {
  const stage = createStage({ runtime: { containerd: { pullBy: 'local' } } });
  stage.fault('mirror', () => ({ kind: 'silent-head' }));
  const pull = stage.pullAt(0);
  await stage.run(24 * hour);
  assert.equal(pull.outcome(), 'cancelled');
  assert.equal(pull.endUs(), 300 * second);
});

test('containerd: a body that stands still is no reason to ask another: the pull is cancelled by a look every 10 s, 5 minutes after one that saw bytes', async () => {
  const stage = createStage({ layerBytes: [100 * megabyte] });
  stage.fault('mirror', ({ request }) =>
    request.method === 'GET' ? { kind: 'stall', atByte: 50 * megabyte } : undefined,
  );
  const pull = stage.pullAt(3 * second);
  await stage.run(24 * hour);
  assert.equal(pull.outcome(), 'cancelled');
  // The first look sees the bytes that came before.
  assert.equal(pull.endUs(), (3 + 10 + 300) * second);
  assert.ok(stage.asked.every(({ of }) => of === 'mirror'));
});

test('containerd: one timer for the whole image: another layer that flows keeps a stalled one from being cancelled', async () => {
  const stage = createStage({ layerBytes: [10 * megabyte, 4 * megabyte] });
  const [first] = stage.image.layers;
  stage.fault('mirror', (call) => {
    if (isLayer(call, first?.digest ?? '')) return { kind: 'stall', atByte: 5 * megabyte };
    return call.request.target.includes(stage.image.layers[1]?.digest ?? '-')
      ? { kind: 'trickle', bytesPerSecond: 10_000 }
      : undefined;
  });
  const pull = stage.pullAt(0);
  await stage.run(24 * hour);
  assert.equal(pull.outcome(), 'cancelled');
  // The store grows by 1 MiB at a time: the last step of 4 MB stands in it after 400 s.
  assert.equal(pull.endUs(), (410 + 300) * second);
});

test('containerd: a stall in the first MiB of a blob is nothing that the timer knows of', async () => {
  const stage = createStage();
  stage.fault('mirror', ({ request }) =>
    request.target.includes('blobs') ? { kind: 'stall', atByte: 1_000 } : undefined,
  );
  const pull = stage.pullAt(0);
  await stage.run(24 * hour);
  assert.equal(pull.outcome(), 'pending');
});

test('containerd: a body that FIN cut goes on at its offset, the hosts asked from the first one on', async () => {
  const stage = createStage({ hosts: ['one', 'two', 'upstream'] });
  const digest = stage.image.layers[0]?.digest ?? '';
  stage.fault('one', (call) =>
    isLayer(call, digest)
      ? call.request.headers['range'] === undefined
        ? { kind: 'cut', atByte: 3_000_000 }
        : { kind: 'status', status: 404 }
      : undefined,
  );
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'ok');
  assert.deepEqual(stage.asked.slice(3).map(text), [
    'one GET blobs/0',
    'one GET blobs/0 bytes=3000000-',
    'two GET blobs/0 bytes=3000000-',
  ]);
});

test('containerd: cut again and again without a byte, it asks three times more and gives up, the upstream never asked', async () => {
  const stage = createStage();
  stage.fault('mirror', (call) =>
    isLayer(call, stage.image.layers[0]?.digest ?? '')
      ? { kind: 'cut', atByte: call.request.headers['range'] === undefined ? megabyte : 0 }
      : undefined,
  );
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'no-progress');
  assert.equal(stage.asked.filter(({ range }) => range === 'bytes=1000000-').length, 3);
  assert.ok(stage.asked.every(({ of }) => of === 'mirror'));
});

test('containerd: with a byte between two cuts it goes on for ever', async () => {
  const stage = createStage({ layerBytes: [20] });
  stage.fault('mirror', (call) =>
    isLayer(call, stage.image.layers[0]?.digest ?? '') ? { kind: 'cut', atByte: 1 } : undefined,
  );
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'ok');
  assert.equal(stage.asked.filter(({ what }) => what === 'GET blobs/0').length, 20);
});

/** Gives the blob's first bytes, then breaks off by RST. */
function resetBody(content: SimContent, atByte: number): Body {
  let isFirst = true;
  return {
    next: () => {
      if (!isFirst) return Promise.reject(new PeiliError('DIGEST_MISMATCH', 'not what was asked for'));
      isFirst = false;
      return Promise.resolve({ done: false, value: new SymbolChunk(content.id, 0, atByte) });
    },
    return: () => Promise.resolve({ done: true, value: undefined }),
  };
}

test('containerd: RST fails the pull at once, nobody else is asked', async () => {
  const stage = createStage();
  const [layer] = stage.image.layers;
  assert.ok(layer !== undefined);
  stage.answer('mirror', ({ target }) =>
    target.includes(layer.digest)
      ? { status: 200, headers: { 'content-length': String(layer.sizeBytes) }, body: resetBody(layer, megabyte) }
      : undefined,
  );
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'reset');
  assert.equal(stage.asked.length, 4);
});

test('containerd: a clean end before the size of the descriptor fails the pull', async () => {
  const stage = createStage();
  const [layer] = stage.image.layers;
  assert.ok(layer !== undefined);
  stage.answer('mirror', ({ target }) => {
    if (!target.includes(layer.digest)) return undefined;
    let chunk: SymbolChunk | undefined = new SymbolChunk(layer.id, 0, 500);
    const next = (): ReturnType<Body['next']> => {
      const value = chunk;
      chunk = undefined;
      return Promise.resolve(value === undefined ? { done: true, value } : { done: false, value });
    };
    return {
      status: 200,
      headers: { 'content-length': '500' },
      body: { next, return: () => Promise.resolve({ done: true, value: undefined }) },
    };
  });
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'short');
  assert.equal(stage.asked.length, 4);
});

test('containerd: a 200 to a later range has its beginning thrown away; a 206 of another range is taken as it is, and the commit fails', async () => {
  for (const [kind, outcome] of [
    ['ignore-range', 'ok'],
    ['shifted', 'wrong-digest'],
  ] as const) {
    const stage = createStage();
    const [layer] = stage.image.layers;
    assert.ok(layer !== undefined);
    stage.fault('mirror', (call) => {
      if (!isLayer(call, layer.digest)) return undefined;
      if (call.request.headers['range'] === undefined) return { kind: 'cut', atByte: 4_000_000 };
      return kind === 'ignore-range' ? { kind } : undefined;
    });
    if (kind === 'shifted')
      stage.answer('mirror', ({ target, headers }) => {
        if (headers['range'] === undefined || !target.includes(layer.digest)) return undefined;
        const head = { 'content-length': '6000000', 'content-range': 'bytes 4000001-9999999/10000000' };
        return { status: 206, headers: head, body: wholeBody(layer, 3_999_999) };
      });
    const pull = stage.pullAt(0);
    await stage.run(hour);
    assert.equal(pull.outcome(), outcome, kind);
  }
});

function wholeBody(content: SimContent, start: number): Body {
  let chunk: SymbolChunk | undefined = new SymbolChunk(content.id, start, 6_000_000);
  return {
    next: () => {
      const value = chunk;
      chunk = undefined;
      return Promise.resolve(value === undefined ? { done: true, value } : { done: false, value });
    },
    return: () => Promise.resolve({ done: true, value: undefined }),
  };
}

test('containerd: after a failed commit a retry within 0.2 s asks nobody and fails again; from then on it asks again', async () => {
  const stage = createStage();
  const [layer] = stage.image.layers;
  let isWrong = true;
  stage.fault('mirror', (call) =>
    isWrong && isLayer(call, layer?.digest ?? '') ? { kind: 'flip', atByte: 7 } : undefined,
  );
  const first = stage.pullAt(0);
  await stage.run(second);
  assert.equal(first.outcome(), 'wrong-digest');
  isWrong = false;
  const failedUs = first.endUs();
  const stages = [
    { afterUs: 100_000, outcome: 'wrong-digest', asked: 0 },
    { afterUs: 600_000, outcome: 'ok', asked: 1 },
  ] as const;
  for (const { afterUs, outcome, asked } of stages) {
    const again = createStage();
    let isFlipped = true;
    again.fault('mirror', (call) =>
      isFlipped && isLayer(call, again.image.layers[0]?.digest ?? '') ? { kind: 'flip', atByte: 7 } : undefined,
    );
    again.pullAt(0);
    const pull = again.pullAt(failedUs + afterUs);
    await again.run(failedUs + 1);
    isFlipped = false;
    const before = again.asked.length;
    await again.run(hour);
    assert.equal(pull.outcome(), outcome, `${afterUs} us later`);
    assert.equal(again.asked.slice(before).filter(({ what }) => what === 'GET blobs/0').length, asked);
  }
});

test('containerd: an ingest grows by 1 MiB, and goes on where it was when it is taken up again within 0.2 s', async () => {
  const stage = createStage();
  const [layer] = stage.image.layers;
  assert.ok(layer !== undefined);
  let isCut = true;
  for (const name of ['mirror', 'upstream'])
    stage.fault(name, (call) => {
      if (!isCut || !isLayer(call, layer.digest)) return undefined;
      return call.request.headers['range'] === undefined
        ? { kind: 'cut', atByte: 5_000_000 }
        : { kind: 'status', status: 404 };
    });
  const first = stage.pullAt(0);
  await stage.run(30_000);
  const grown = stage.store.ingests.find(layer.digest)?.visibleBytes ?? 0;
  assert.equal(grown % 1_048_576, 0);
  await stage.run(150_000);
  assert.equal(first.outcome(), 'no-host');
  assert.equal(stage.store.ingests.find(layer.digest)?.visibleBytes, 5_000_000);
  isCut = false;
  const late = stage.pullAt(first.endUs() + 100_000);
  await stage.run(hour);
  assert.equal(late.outcome(), 'ok');
  assert.equal(stage.asked.at(-1)?.range, 'bytes=5000000-');
  assert.equal([...stage.store.ingests.list()].length, 0);
});

test('containerd: three requests at once, of all pulls of a node together, in their order', async () => {
  const stage = createStage({ layerBytes: [megabyte, megabyte, megabyte, megabyte, megabyte] });
  const open = { now: 0, most: 0 };
  stage.answer('mirror', () => {
    open.now += 1;
    open.most = Math.max(open.most, open.now);
    return undefined;
  });
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'ok');
  const layers = stage.asked.filter(({ what }) => what.startsWith('GET blobs/') && what !== 'GET blobs/config');
  assert.deepEqual(
    layers.map(({ what }) => what),
    [0, 1, 2, 3, 4].map((index) => `GET blobs/${index}`),
  );
  assert.equal(new Set(layers.slice(0, 3).map(({ atUs }) => atUs)).size, 1);
  assert.ok((layers[3]?.atUs ?? 0) > (layers[2]?.atUs ?? 0) + 20_000, 'the fourth one waits for a whole layer');
});

test("turns: so many at once, the others in their order; one that is given up is no one's", async () => {
  const turns = new Turns(2);
  const taken: number[] = [];
  const [first] = [await turns.take(new AbortController().signal), await turns.take(new AbortController().signal)];
  const gone = new AbortController();
  const waiting = [gone.signal, new AbortController().signal, new AbortController().signal].map(
    async (signal, index) => {
      const giveBack = await turns.take(signal);
      taken.push(index);
      return giveBack;
    },
  );
  gone.abort();
  await assert.rejects(waiting[0] ?? Promise.resolve());
  first?.();
  first?.();
  (await waiting[1])?.();
  await waiting[2];
  assert.deepEqual(taken, [1, 2]);
  let isFree = false;
  void turns.take(new AbortController().signal).then(() => {
    isFree = true;
  });
  await Promise.resolve();
  assert.equal(isFree, false);
});

test('containerd: garbage that is collected after one pull failed is not what another one writes', async () => {
  const stage = createStage({ layerBytes: [100 * megabyte] });
  const [layer] = stage.image.layers;
  stage.pullAt(0);
  await stage.run(100_000);
  stage.store.collectSoon();
  await stage.run(400_000);
  assert.ok((stage.store.ingests.find(layer?.digest ?? '')?.offset ?? 0) > 20 * megabyte);
});

test('containerd: what is there already is not fetched: layers of another image, and all of it the second time', async () => {
  const stage = createStage({ layerBytes: [megabyte, 2 * megabyte] });
  const [shared] = stage.image.layers;
  assert.ok(shared !== undefined);
  stage.store.commit(shared);
  stage.pullAt(0);
  const again = stage.pullAt(second);
  await stage.run(hour);
  assert.equal(again.outcome(), 'ok');
  const gets = stage.asked.filter(({ what }) => what.startsWith('GET')).map(({ what }) => what);
  assert.deepEqual(gets, ['GET manifests/root', 'GET blobs/config', 'GET blobs/1']);
  assert.equal(stage.asked.filter(({ what }) => what.startsWith('HEAD')).length, 2);
});

test('containerd: two pulls of one image at once: each content is written once, the other waits for it', async () => {
  const stage = createStage({ layerBytes: [10 * megabyte] });
  const [one, two] = [stage.pullAt(0), stage.pullAt(5_000)];
  await stage.run(hour);
  assert.deepEqual([one.outcome(), two.outcome()], ['ok', 'ok']);
  assert.equal(stage.asked.filter(({ what }) => what === 'GET blobs/0').length, 1);
});

test('containerd: of an index the manifest of its platform alone is fetched', async () => {
  const stage = createStage({ image: { platforms: ['linux/arm64', 'linux/amd64'] } });
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'ok');
  const { manifests = [] } = stage.catalogue.document(stage.image.root) ?? {};
  const held = manifests.map(({ platform, content }) => [platform, stage.store.has(content.digest)]);
  assert.deepEqual(held, [
    ['linux/arm64', false],
    ['linux/amd64', true],
  ]);
});

test('containerd: a layer of 0 bytes is a pull that fails, whoever serves it', async () => {
  const stage = createStage({ layerBytes: [0] });
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'empty-content');
});

test('containerd: the pull that fails takes its other layers with it, and leaves nothing in the store', async () => {
  const stage = createStage({ layerBytes: [megabyte, 50 * megabyte] });
  const [first] = stage.image.layers;
  for (const name of ['mirror', 'upstream'])
    stage.fault(name, (call) => (isLayer(call, first?.digest ?? '') ? { kind: 'status', status: 404 } : undefined));
  const pull = stage.pullAt(0);
  await stage.run(second);
  assert.equal(pull.outcome(), 'no-host');
  assert.ok(pull.endUs() < 0.3 * second, `${pull.endUs()} us`);
  assert.ok(!stage.store.has(stage.image.manifest.digest));
  assert.equal([...stage.store.ingests.list()].length, 0);
});
