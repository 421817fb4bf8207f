import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits, limitsWith } from '../../core/index.ts';
import type { ContentStore, PullStep, StoreChange } from '../../core/index.ts';
import { relayedSteps, tellPull } from '../event-fixture.ts';
import { unionUs } from './busy-time.ts';
import { createDebugView } from './debug-view.ts';
import type { DebugView } from './debug-view.ts';

const mebibyte = 1024 * 1024;
const digest = `sha256:${'a'.repeat(64)}`;

const missed: readonly PullStep[] = [
  { type: 'lookup', sources: 0, tookUs: 1000, outcome: 'nobody' },
  { type: 'end', reason: 'not-found', status: 404, bytes: 0, tookUs: 2000 },
];

/** A view over a clock that is set by hand, and a node that has only what is said here. */
function fresh(limits = defaultLimits) {
  const time = { us: 1_000_000 };
  const view = createDebugView(
    { nowUs: () => time.us, wallUs: () => 1_700_000_000_000_000 + time.us },
    { limits, version: '1.2.3' },
  );
  const watchers: ((change: StoreChange) => void)[] = [];
  const store: Pick<ContentStore, 'list' | 'watch'> = {
    list: () => Promise.resolve({ contents: [], tags: [] }),
    watch: (listener) => {
      watchers.push(listener);
      return () => void watchers.splice(watchers.indexOf(listener), 1);
    },
  };
  const membership = {
    self: {
      id: 'self',
      position: new Uint8Array(32),
      addresses: [],
      registryPort: 1,
      kind: 'peili',
      zone: 'z1',
      incarnation: 1,
      connected: true,
    },
    members: () => [],
    watch: () => () => undefined,
  } as const;
  const attach = (): (() => void) =>
    view.attach({
      peerId: 'self',
      registryAddresses: [],
      membership,
      store,
      readiness: () => ({ ready: true, reason: '' }),
    });
  const added = (sizeBytes: number): void => {
    for (const listener of watchers) listener({ type: 'content-added', content: { digest, sizeBytes, names: [] } });
  };
  return { view, time, attach, added, watchers };
}

function told(
  view: DebugView,
  pullId: number,
  start: Parameters<typeof tellPull>[2],
  steps: readonly PullStep[],
  atUs = 0,
): void {
  const { onPull, onNode } = view.observer;
  tellPull({ onNode, onPull: (event) => onPull({ ...event, atUs }) }, pullId, start, steps);
}

test('view: bytes by source, every switch and failure with its reason, and the last success', async () => {
  const { view } = fresh();
  told(view, 1, {}, relayedSteps);
  const { pulls, lastSuccess, saved } = await view.snapshot();
  const [object] = pulls[0]?.objects ?? [];
  assert.deepEqual(object?.sources, [
    { source: 'peer-a', bytes: 60 },
    { source: 'peer-b', bytes: 40 },
  ]);
  assert.deepEqual(
    object?.steps.map((step) => [step.type, step.source, 'reason' in step ? step.reason : undefined]),
    [
      ['stalled', 'peer-a', undefined],
      ['failed', 'peer-a', 'PEER_STALLED'],
      ['switched', 'peer-a', 'PEER_STALLED'],
      ['resumed', 'peer-b', undefined],
    ],
  );
  assert.equal(object?.waitedMs, 2000, 'the stall, and not once more the attempt that it ended');
  assert.deepEqual(lastSuccess, {
    atMs: 1_700_000_001_000,
    image: 'docker.io/library/demo',
    from: ['peer-a', 'peer-b'],
  });
  assert.equal(saved.peerBytes, 100);
});

test('view: who asks for the same again has its own sources, of the latest few', async () => {
  const { view } = fresh();
  told(view, 0, {}, relayedSteps);
  const local: PullStep = { type: 'bytes', source: 'local', from: 0, to: 100 };
  for (let pullId = 1; pullId < 9; pullId += 1) told(view, pullId, {}, [local, ...relayedSteps.slice(-1)]);
  const [object] = (await view.snapshot()).pulls[0]?.objects ?? [];
  const own = [{ source: 'local', bytes: 100 }];
  assert.deepEqual(
    object?.pulls,
    [1, 2, 3, 4, 5, 6, 7, 8].map((pullId) => ({ pullId, sources: own })),
  );
});

test('view: requests for one repository are one pull; another tag, another repository or a later time is another', async () => {
  const { view } = fresh();
  const tag = (name: string) => ({ resource: 'manifest', key: `docker.io/library/demo:${name}` }) as const;
  const later = defaultLimits.viewPullGapUs + 1;
  told(view, 1, tag('1'), missed);
  told(view, 2, { key: 'sha256:cd' }, missed);
  told(view, 3, { key: 'sha256:cd' }, missed);
  told(view, 4, tag('2'), missed);
  told(view, 5, { repository: 'library/other' }, missed);
  told(view, 6, { mirrored: true, repository: 'not/ours' }, missed);
  told(view, 7, tag('1'), missed, later);
  const { pulls } = await view.snapshot();
  assert.deepEqual(
    pulls.map(({ image, objects }) => [image, objects.map(({ key, requests }) => [key.slice(-3), requests])]),
    [
      ['docker.io/library/demo:1', [['o:1', 1]]],
      ['docker.io/library/other', [[':ab', 1]]],
      ['docker.io/library/demo:2', [['o:2', 1]]],
      [
        'docker.io/library/demo:1',
        [
          ['o:1', 1],
          [':cd', 2],
        ],
      ],
    ],
  );
});

test('view: what nobody had and then appears measures the upstream, and what was saved against it', async () => {
  const { view, time, attach, added } = fresh();
  const detach = attach();
  assert.equal((await view.snapshot()).saved.savedMs, null, 'not measured yet');
  told(view, 1, { key: digest }, missed);
  time.us += 2_000_000;
  added(20 * mebibyte);
  const { saved, pulls } = await view.snapshot();
  assert.deepEqual(saved.upstream, { bytesPerSecond: 10 * mebibyte, blobs: 1, bytes: 20 * mebibyte });
  assert.deepEqual(pulls[0]?.sources, [{ source: 'upstream', bytes: 20 * mebibyte }]);
  const bytes = 30 * mebibyte;
  view.observer.onPull({
    pullId: 2,
    atUs: 0,
    type: 'start',
    method: 'GET',
    resource: 'blob',
    key: 'sha256:cd',
    registry: 'r',
    repository: 'a',
    mirrored: false,
    range: undefined,
  });
  view.observer.onPull({ pullId: 2, atUs: 0, type: 'bytes', source: 'peer-a', from: 0, to: bytes });
  time.us += 500_000;
  view.observer.onPull({ pullId: 2, atUs: 0, type: 'end', reason: 'complete', status: 200, bytes, tookUs: 500_000 });
  assert.equal((await view.snapshot()).saved.savedMs, 3000 - 500, '30 MiB at 10 MiB/s, and half a second here');
  detach();
});

test('view: what appears without having been missed, or is too small to mean something, measures nothing', async () => {
  const { view, time, attach, added, watchers } = fresh();
  const detach = attach();
  added(20 * mebibyte);
  told(view, 1, { key: digest }, missed);
  time.us += 1000;
  added(defaultLimits.upstreamSampleMinBytes - 1);
  assert.equal((await view.snapshot()).saved.upstream, null);
  detach();
  assert.equal(watchers.length, 0, 'it lets go of the store');
});

test('view: the time of transfers side by side counts once', () => {
  const intervals = [
    { fromUs: 10, toUs: 20 },
    { fromUs: 0, toUs: 12 },
    { fromUs: 30, toUs: 40 },
    { fromUs: 31, toUs: 35 },
  ];
  assert.equal(unionUs(intervals), 30);
});

test('view: however much is told, what is kept is bounded', async () => {
  const limits = limitsWith({ viewPullsMax: 3, viewObjectsMax: 4, viewStepsMax: 5, viewTroublesMax: 6 });
  const { view } = fresh(limits);
  const failed = Array.from({ length: 20 }, (_, index): PullStep => ({
    type: 'attempt-failed',
    source: `peer-${index}`,
    reason: 'PEER_CLOSED',
    tookUs: 1,
  }));
  const bytes = Array.from({ length: 20 }, (_, index): PullStep => ({
    type: 'bytes',
    source: `peer-${index}`,
    from: 0,
    to: 1,
  }));
  for (let pullId = 0; pullId < 500; pullId += 1) {
    told(view, pullId, { repository: `app-${pullId % 7}`, key: `sha256:${pullId}` }, [...failed, ...bytes, ...missed]);
    view.observer.onNode({ type: 'store-failed', reason: String(pullId) });
  }
  const { pulls, troubles } = await view.snapshot();
  assert.equal(pulls.length, 3);
  for (const { objects, objectsDropped } of pulls) {
    assert.ok(objects.length <= 4);
    assert.ok(objects.length + objectsDropped >= 1);
    for (const { steps, stepsDropped, runs } of objects) {
      assert.deepEqual([steps.length, stepsDropped % 15, runs.length], [5, 0, 5]);
    }
  }
  assert.deepEqual(
    troubles.map(({ reason }) => reason),
    ['499', '498', '497', '496', '495', '494'],
  );
});

test('view: what was mended in hosts.toml, and what could not be, stands among the troubles', async () => {
  const { view } = fresh();
  const mended = { type: 'hosts-mended', paths: ['/etc/containerd/certs.d/_default/hosts.toml'] } as const;
  view.observer.onNode(mended);
  view.observer.onNode({ type: 'hosts-failed', reason: 'EROFS' });
  view.observer.onNode(mended);
  const { troubles } = await view.snapshot();
  assert.deepEqual(
    troubles.map(({ reason, count }) => [reason, count]),
    [
      [mended.paths[0], 2],
      ['EROFS', 1],
    ],
  );
});

test('view: the verdict is what an operator has to know first', async () => {
  const { view, attach } = fresh();
  const state = async (): Promise<readonly string[]> => {
    const { verdict } = await view.snapshot();
    return [verdict.state, verdict.headline];
  };
  assert.deepEqual(await state(), ['starting', 'Starting']);
  attach();
  assert.deepEqual(await state(), ['waiting', 'Alone']);
  told(view, 1, {}, relayedSteps);
  assert.deepEqual(await state(), ['working', 'Working']);
  const canary = {
    type: 'canary',
    arrived: false,
    outcome: 'not-asked',
    reason: 'look at config_path',
    tookUs: 5000,
  } as const;
  view.observer.onNode(canary);
  assert.deepEqual(await state(), ['trouble', 'containerd does not use this mirror']);
  assert.equal((await view.snapshot()).verdict.explanation, 'look at config_path');
  view.observer.onNode({ ...canary, arrived: true, outcome: 'arrived' });
  assert.deepEqual(await state(), ['working', 'Working']);
  view.observer.onNode({ type: 'store-connection', store: 'containerd', connected: false, reason: 'no socket' });
  assert.deepEqual(await state(), ['trouble', 'The content store cannot be read']);
  view.observer.onNode({ type: 'store-connection', store: 'containerd', connected: true, reason: '' });
  assert.deepEqual(await state(), ['working', 'Working']);
});

test("debug view: the canary is no pull: it is nobody's image, and saves nothing", async () => {
  const { view } = fresh();
  tellPull(view.observer, 1, { registry: 'canary.peili.internal', repository: 'amd64/n0nce0001' }, [
    { type: 'bytes', source: 'local', from: 0, to: 100 },
    { type: 'end', reason: 'complete', status: 200, bytes: 100, tookUs: 1000 },
  ]);
  const { pulls, saved, lastSuccess } = await view.snapshot();
  assert.deepEqual([pulls, saved.localBytes, saved.peerBytes, lastSuccess], [[], 0, 0, null]);
});
