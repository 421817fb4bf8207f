import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseScenario } from './parse-scenario.ts';
import { imageBytesOf } from './judge-expectations.ts';
import { readScenario } from './read-scenario.ts';
import type { Scenario } from './scenario.ts';

const whole = `
name: two groups
shows: everything that a file may say
cluster:
  nodes:
    - { name: cpu, count: 3, zone: [a, b] }
    - { name: gpu, count: 1, zone: c }
  up: 1Gbit/s
  down: 125 MB/s
  latency: 100us
  unpack: { rate: 100MB/s }
upstream: { profile: far, rate: 50MB/s }
images:
  - name: docker.io/library/app:1
    layers: [2 x 50MB, 1 GiB, 10]
workload:
  - pull: docker.io/library/app:1
    on: [cpu, zone c]
    except: cpu0
    at: 1m30s
    every: 2s
faults:
  - { kind: trickle, on: first 2, rate: 10kB/s, from: gpu, at: 10s, for: 5s, every: 1s }
  - { kind: rate, on: upstream, rate: 1Mbit/s, at: 1s, until: 3s }
mirror:
  registryFilters: ':dev$'
  tagMaxAge: 1h
  limits: { stallTimeoutUs: 1s, windowBytes: 1MiB, attemptsMax: 3 }
until: 10min
seeds: 3
policies: peili
expect:
  peili: { failed: 0, upstreamCopies: 1 to 1.1, slowest: at most 30s }
`;

test('scenario: a file is the value that it says', () => {
  const { scenario, policies, seeds, expect } = parseScenario(whole);
  assert.deepEqual(scenario.cluster, {
    nodes: 4,
    zones: 3,
    zoneOf: ['a', 'b', 'a', 'c'],
    nameOf: ['cpu0', 'cpu1', 'cpu2', 'gpu0'],
    upBytesPerSecond: 125_000_000,
    downBytesPerSecond: 125_000_000,
    latencyUs: 100,
    zoneLatencyUs: 600,
    mirrorBytesPerSecond: 2_000_000_000,
    unpack: { layerUs: 0, bytesPerSecond: 100_000_000 },
  });
  assert.deepEqual(scenario.upstream, { bytesPerSecond: 50_000_000, latencyUs: 75_000 });
  assert.deepEqual(scenario.images, [
    { name: 'docker.io/library/app:1', layerBytes: [50_000_000, 50_000_000, 1_073_741_824, 10] },
  ]);
  const image = 'docker.io/library/app:1';
  assert.deepEqual(scenario.workload, [
    { atUs: 90_000_000, node: 1, image },
    { atUs: 92_000_000, node: 2, image },
    { atUs: 94_000_000, node: 3, image },
  ]);
  const trickle = { kind: 'http', fault: { kind: 'trickle', bytesPerSecond: 10_000 }, from: 3 };
  assert.deepEqual(scenario.faults, [
    { atUs: 10_000_000, target: 0, what: trickle, untilUs: 15_000_000 },
    { atUs: 11_000_000, target: 1, what: trickle, untilUs: 16_000_000 },
    { atUs: 1_000_000, target: 'upstream', what: { kind: 'rate', bytesPerSecond: 125_000 }, untilUs: 3_000_000 },
  ]);
  assert.deepEqual(scenario.limits, { stallTimeoutUs: 1_000_000, windowBytes: 1_048_576, attemptsMax: 3 });
  assert.deepEqual(scenario.mirror, { registryFilters: [':dev$'], tagMaxAgeUs: 3_600_000_000 });
  assert.deepEqual([scenario.untilUs, policies, seeds], [600_000_000, ['peili'], 3]);
  assert.deepEqual(expect, [
    { policy: 'peili', figure: 'failed', bound: { min: 0, max: 0, text: '0' } },
    { policy: 'peili', figure: 'upstreamCopies', bound: { min: 1, max: 1.1, text: '1 to 1.1' } },
    { policy: 'peili', figure: 'slowest', bound: { min: -Infinity, max: 30_000_000, text: 'at most 30s' } },
  ]);
});

const small = {
  cluster: { nodes: 4 },
  images: [{ name: 'docker.io/library/app:1', layers: '1MB' }],
  workload: [{ pull: 'docker.io/library/app:1' }],
};

test('scenario: YAML and TypeScript are the same value', () => {
  const text =
    'cluster: { nodes: 4 }\nimages: [{ name: "docker.io/library/app:1", layers: 1MB }]\nworkload: [{ pull: "docker.io/library/app:1" }]';
  assert.deepEqual(parseScenario(text), readScenario(small));
});

test('scenario: waves, a rolling update and arrivals', () => {
  const pulls = (how: object): readonly (readonly (number | undefined)[])[] =>
    readScenario({ ...small, workload: [{ pull: 'docker.io/library/app:1', ...how }] }).scenario.workload.map(
      ({ atUs, after }) => [atUs / 1_000_000, after],
    );
  const none = undefined;
  assert.deepEqual(pulls({ waves: 2, every: '30s', at: '1s' }), [
    [1, none],
    [1, none],
    [31, none],
    [31, none],
  ]);
  assert.deepEqual(pulls({ atOnce: '50%', every: '5s', at: '1s' }), [
    [1, none],
    [1, none],
    [5, 0],
    [5, 1],
  ]);
  assert.deepEqual(pulls({ atOnce: '1%' }), [
    [0, none],
    [0, 0],
    [0, 1],
    [0, 2],
  ]);
  const arrivals = pulls({ arrivals: '10s', at: '1s' }).map(([atS]) => atS ?? 0);
  assert.ok(
    arrivals.every((atS, index) => atS > (arrivals[index - 1] ?? 1)),
    `in order after 1 s: ${arrivals.join()}`,
  );
  assert.deepEqual(
    pulls({ arrivals: '10s', at: '1s' }).map(([atS]) => atS),
    arrivals,
  );
});

test('scenario: what is uneven, shared, or moves', () => {
  const base = { name: 'docker.io/library/base:1', layers: ['10MB', '1MB'] };
  const app = { name: 'docker.io/library/app:1', layers: '5MB', base: base.name, movesAt: '10s' };
  const read = (changes: object): Scenario => readScenario({ ...small, images: [base, app], ...changes }).scenario;
  const { images } = read({});
  const shared = ['docker.io/library/base:1 layer 0', 'docker.io/library/base:1 layer 1'];
  assert.deepEqual(images, [
    { name: base.name, layerBytes: [10_000_000, 1_000_000], layerLabels: shared },
    {
      name: app.name,
      layerBytes: [10_000_000, 1_000_000, 5_000_000],
      layerLabels: [...shared, 'docker.io/library/app:1 layer 0'],
      movesAtUs: [10_000_000],
    },
  ]);
  assert.equal(
    imageBytesOf({ images, workload: images.map(({ name }) => ({ atUs: 0, node: 0, image: name })) }),
    16_000_000,
  );
  const nodes = [
    { name: 'a', count: 1 },
    { name: 'b', count: 2, up: '1Gbit/s' },
  ];
  const { cluster } = read({ cluster: { nodes, zoneRate: '10Gbit/s', disk: 'nvme' } });
  assert.deepEqual(cluster.uneven, [
    { node: 1, upBytesPerSecond: 125_000_000 },
    { node: 2, upBytesPerSecond: 125_000_000 },
  ]);
  assert.deepEqual([cluster.zoneBytesPerSecond, cluster.disk?.flushUs], [1_250_000_000, 200]);
  const { upstream } = read({
    upstream: { profile: 'cloud', outages: [{ from: '1s', until: '2s' }], manifestLimit: { gets: 3, window: '1h' } },
  });
  assert.equal(upstream.flowBytesPerSecond, 50_000_000);
  assert.deepEqual(upstream.outages, [{ fromUs: 1_000_000, untilUs: 2_000_000, kind: 'refuse' }]);
  assert.deepEqual(upstream.manifestLimit, { gets: 3, windowUs: 3_600_000_000 });
  assert.throws(
    () => read({ images: [{ ...app, base: 'x' }] }),
    /^ScenarioError: images\[0\]\.base: "x" is not another image of this file without a base$/,
  );
});

test('scenario: one way of pulling, not two, and whole', () => {
  const read = (how: object) => () =>
    readScenario({ ...small, workload: [{ pull: 'docker.io/library/app:1', ...how }] });
  assert.throws(read({ waves: 2, arrivals: '1s' }), {
    message: 'workload[0].arrivals: stands beside waves: nodes pull in one way or the other',
  });
  assert.throws(read({ waves: 2 }), { message: 'workload[0].every: is missing: how long from one wave to the next' });
  assert.throws(read({ except: 'all' }), { message: 'workload[0].on: "all" leaves no node' });
});

test('scenario: --set changes what a file says, and adds what it does not', () => {
  const { scenario } = parseScenario(whole, {
    set: [
      'cluster.nodes=7',
      'cluster.zones=[x, y]',
      'workload[0].on=all',
      'workload[0].except=n1',
      'faults=[]',
      'mirror.limits.attemptsMax=4',
    ],
  });
  assert.deepEqual(scenario.cluster.zoneOf, ['x', 'y', 'x', 'y', 'x', 'y', 'x']);
  assert.deepEqual(
    scenario.workload.map(({ node }) => node),
    [0, 2, 3, 4, 5, 6],
  );
  assert.deepEqual([scenario.faults, scenario.limits?.attemptsMax], [[], 4]);
});

for (const [set, says] of [
  [
    'cluster.up=1Gbps',
    '--set cluster.up=1Gbps: cluster.up: "1Gbps" is no rate: write it as 1Gbit/s, 125MB/s or unlimited',
  ],
  [
    'cluster.dwn=1MB/s',
    '--set cluster.dwn=1MB/s: cluster.dwn: is not known here (did you mean down?): it may have nodes, zones, up, down, latency, zoneLatency, mirrorRate, zoneRate, disk, unpack, kubelet, containerd or known',
  ],
  ['cluster', '--set "cluster": write path=value, cluster.nodes=200 or faults[0].at=5s'],
  ['until=10', '--set until=10: until: 10 is no duration: write it as 30s, 10ms or 1m30s'],
  ['cluster.nodes=0', '--set cluster.nodes=0: cluster.nodes: 0 is no whole number from 1 to 100000'],
  [
    'images[0].layers=[1MB, 2 x x]',
    '--set images[0].layers=[1MB, 2 x x]: images[0].layers[1]: "2 x x" is no layer: write its size, 50MB, or 10 x 50MB for ten of them',
  ],
  [
    'images[0].name=app',
    '--set images[0].name=app: images[0].name: "app" is no name of an image: write registry/repository:tag, docker.io/library/app:1',
  ],
  [
    'workload[0].pull=docker.io/library/app:2',
    '--set workload[0].pull=docker.io/library/app:2: workload[0].pull: "docker.io/library/app:2" is not among images (did you mean docker.io/library/app:1?)',
  ],
  [
    'workload[0].on=gpus',
    '--set workload[0].on=gpus: workload[0].on: "gpus" is no node here (did you mean gpu?): write all, cpu0 to gpu0, cpu, zone a, first 5, last 5 or 25%',
  ],
  [
    'policies=peli',
    '--set policies=peli: policies: "peli" is no policy (did you mean peili?): it may be peili, noMirror, spegelLike, spegelLike-0.4, spegelLike-0.6, spegelLike-0.7, halfSpegel or binomialTree',
  ],
  [
    'faults[0].kind=stal',
    '--set faults[0].kind=stal: faults[0].kind: "stal" is no fault (did you mean stall?): it may be ',
  ],
  ['faults[1].rate=', '--set faults[1].rate=: faults[1].rate: null is no rate: write it as 1Gbit/s or 125MB/s'],
  ['faults[1].until=1s', '--set faults[1].until=1s: faults[1].until: is over before it begins'],
  ['upstream=nowhere', '--set upstream=nowhere: upstream: "nowhere" is no profile of an upstream: it may be '],
  [
    'mirror.limits.stallTimeout=1s',
    '--set mirror.limits.stallTimeout=1s: mirror.limits.stallTimeout: is no limit (did you mean stallTimeoutUs?): docs/reference/limits.md lists them',
  ],
  [
    'expect.peili.failed=few',
    '--set expect.peili.failed=few: expect.peili.failed: "few" is nothing to expect: write 0, at most 0, at least 0, or two of them with "to" between',
  ],
  ['name.x=1', '--set "name.x=1": name has nothing within it'],
] as const) {
  test(`scenario: ${set} is one sentence`, () => {
    assert.throws(
      () => parseScenario(whole, { set: [set] }),
      (error: Error) => {
        assert.ok(error.message.startsWith(says), error.message);
        assert.ok(!error.message.includes('\n'));
        return true;
      },
    );
  });
}

test('scenario: what is wrong in a file is told with line and column', () => {
  const broken = (from: string, to: string): string => {
    try {
      parseScenario(whole.replace(from, to), { file: 'my.yaml' });
    } catch (error) {
      return String((error as Error).message);
    }
    return 'nothing';
  };
  assert.equal(
    broken('rate: 50MB/s', 'rate: 50MBps'),
    'my.yaml:12:33: upstream.rate: "50MBps" is no rate: write it as 1Gbit/s, 125MB/s or unlimited',
  );
  assert.match(broken('    layers: [2 x 50MB, 1 GiB, 10]\n', ''), /^my\.yaml:14:5: images\[0\]\.layers: is missing$/);
  assert.match(broken('zone: c }', 'zone: c'), /^my\.yaml:\d+:\d+: this is no YAML: flow map/);
  assert.match(
    broken('seeds: 3', 'seeds: 3\nseeds: 4'),
    /^my\.yaml:\d+:\d+: this is no YAML: map keys must be unique$/,
  );
  assert.equal(broken(whole, '3'), 'my.yaml: 3 is no list of fields: write name, shows, cluster, ... below it');
  assert.throws(() => parseScenario('3', { set: ['cluster.nodes=3'] }), /scenario: 3 is no list of fields/);
  for (const [change, says] of [
    ['heal=[]', /heal: \[\] is no list of fields: write at, core/],
    ['upstream=[]', /upstream: \[\] is no list of fields: write profile/],
    ['until=0s', /until: is over before anything begins/],
  ] as const) {
    assert.throws(() => parseScenario(whole, { set: [change] }), says);
  }
});

test('scenario: what happens to nodes alone does not happen to the upstream', () => {
  const set = ['faults=[{kind: crash, on: upstream}]'];
  assert.throws(() => parseScenario(whole, { set }), /faults\[0\]\.on: crash happens to nodes, not to the upstream$/);
});
