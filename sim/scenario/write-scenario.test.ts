import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawScenario } from '../draw/draw-scenario.ts';
import { faultTable } from '../faults/fault-table.ts';
import { huntedScenario } from '../hunt/try-seed.ts';
import { namedScenarios } from '../scenarios/index.ts';
import { parseScenario } from './parse-scenario.ts';
import { readScenario } from './read-scenario.ts';
import type { ContainerdOptions } from '../containerd/containerd-options.ts';
import type { UnpackSpec } from '../containerd/unpacker.ts';
import type { KubeletOptions } from '../kubelet/kubelet-options.ts';
import type { UpstreamSpec } from '../upstream/upstream-spec.ts';
import type { ClusterSpec, MirrorSpec, Scenario } from './scenario.ts';
import { formatScenario, writeScenario } from './write-scenario.ts';

/** In which zones no node is nobody sees; nor in which order those are named who are cut off. */
function canonical(scenario: Scenario): Scenario {
  const { cluster, faults } = scenario;
  const zoneOf = cluster.zoneOf ?? Array.from({ length: cluster.nodes }, (_, index) => `z${index % cluster.zones}`);
  return {
    ...scenario,
    cluster: { ...cluster, zones: new Set(zoneOf).size },
    faults: faults.map((fault) => {
      const { target, what } = fault;
      const others = (nodes: readonly number[]): readonly number[] =>
        [...new Set(nodes)].filter((node) => node !== target).sort((one, other) => one - other);
      if (what.kind === 'cut' || what.kind === 'island')
        return { ...fault, what: { ...what, with: others(what.with) } };
      return what.kind === 'forget' ? { ...fault, what: { ...what, members: others(what.members) } } : fault;
    }),
  };
}

function returns(scenario: Scenario): void {
  const file = formatScenario(scenario);
  const read = parseScenario(file).scenario;
  assert.deepEqual(canonical(read), canonical(scenario), file);
  assert.deepEqual(readScenario(writeScenario(scenario)).scenario, read);
}

const image = 'docker.io/library/app:1';
const other = 'registry.example/team/other:2';
const rates = { upBytesPerSecond: 125_000_000, downBytesPerSecond: Infinity, mirrorBytesPerSecond: 1_234_567 };
/** What a new field is missing from, until somebody has made a file say it. */
interface Whole extends Required<Scenario> {
  readonly cluster: Required<ClusterSpec> & {
    readonly unpack: Required<UnpackSpec>;
    readonly containerd: ContainerdOptions;
    readonly kubelet: KubeletOptions;
  };
  readonly upstream: Required<UpstreamSpec>;
  readonly mirror: Required<MirrorSpec>;
}

/** All that a scenario can say. */
const whole: Whole = {
  name: 'whole: "all"',
  shows: "- what's there",
  cluster: {
    nodes: 3,
    zones: 2,
    zoneOf: ['a', 'a', 'b'],
    nameOf: ['gpu-0', 'n1', 'n7'],
    ...rates,
    latencyUs: 1,
    zoneLatencyUs: 90_000_000,
    zoneBytesPerSecond: 1_000_000_000,
    knownMax: 64,
    uneven: [
      { node: 1, upBytesPerSecond: 1 },
      { node: 2, downBytesPerSecond: Infinity, mirrorBytesPerSecond: 1_024 },
    ],
    unpack: { layerUs: 1, bytesPerSecond: 2_000, cores: 2, sharedBytesPerSecond: 3, ratioPercent: 300 },
    disk: { bytesPerSecond: 1_000_000, flushUs: 5, pageCacheBytes: 7, dirtyBytesMax: 2 ** 30 },
    containerd: {
      downloadsAtOnce: 10,
      fetchBufferBytes: 8_388_608,
      progressTimeoutUs: 1_000_000,
      pullBy: 'local',
      mirrorDialTimeoutUs: 1_000,
      upstreamDialTimeoutUs: 2_000,
      mirrorsResolve: false,
      platform: 'linux/arm64',
      discardUnpackedLayers: true,
    },
    kubelet: {
      serializeImagePulls: false,
      parallelImagePullsMax: 3,
      registryPullsPerSecond: 0,
      registryBurst: 4,
      backOffUs: 1,
      backOffMaxUs: 2,
      syncUs: 3,
      sandboxUs: 4,
      startUs: 5,
    },
  },
  upstream: {
    bytesPerSecond: Infinity,
    latencyUs: 33,
    flowBytesPerSecond: 50_000_000,
    tls: false,
    token: { latencyUs: 1, lifetimeUs: 2 },
    storage: { bytesPerSecond: 1_000, latencyUs: 3, flowBytesPerSecond: 999 },
    manifestLimit: { gets: 100, windowUs: 21_600_000_000, per: 'node' },
    outages: [{ fromUs: 1, untilUs: 2, kind: 'black-hole' }],
    absent: [other],
  },
  images: [
    { name: image, layerBytes: [50_000_000, 50_000_000, 7, 0], layerLabels: ['a', 'b', 'c', 'd'], movesAtUs: [1, 2] },
    { name: other, layerBytes: [], platforms: ['linux/amd64', 'linux/arm64'] },
  ],
  workload: [
    { atUs: 0, node: 2, image, jitterUs: 1_500, retries: 3 },
    { atUs: 5_000_000, node: 0, image: other, after: 0 },
  ],
  pods: [
    { atUs: 1, node: 1, images: [image, other], pullPolicy: 'Always' },
    { atUs: 1, node: 1, images: [image] },
  ],
  asks: [
    {
      atUs: 1,
      node: 1,
      image,
      what: 3,
      method: 'HEAD',
      range: 'bytes=-1',
      bytesPerSecond: 9,
      bytesMax: 8,
      patienceUs: 7,
    },
    { atUs: 1, node: 2, image, what: 'config' },
  ],
  faults: [],
  limits: { stallTimeoutUs: 1_500_000, windowBytes: 1_048_577, attemptsMax: 3 },
  mirror: {
    registryFilters: [':dev$'],
    mirroredRegistries: ['ghcr.io'],
    blobsOnlyRegistries: ['*'],
    blobVerification: 'always',
    tagMaxAgeUs: 3_600_000_000,
  },
  buggifyIn64: 8,
  swaps: [1, 99],
  heal: { atUs: 7, core: [0, 2] },
  untilUs: 1_234_567_891,
};

test('scenario: all that a value can say a file can say', () => {
  returns(whole);
});

test('scenario: named, drawn and hunted ones are the same after they were written and read', () => {
  const kinds = new Set<string>();
  const check = (scenario: Scenario): void => {
    returns(scenario);
    for (const { what } of scenario.faults) kinds.add(what.kind);
  };
  for (const { text } of namedScenarios)
    check(parseScenario(text, { set: text.includes('nodes: 1') ? ['cluster.nodes=10'] : [] }).scenario);
  for (let seed = 0; seed < 120; seed += 1) check(drawScenario(seed, { size: seed % 5 === 0 ? 'large' : 'small' }));
  for (let seed = 0; seed < 30; seed += 1) check(huntedScenario(seed));
  assert.deepEqual(
    Object.keys(faultTable).filter((kind) => !kinds.has(kind)),
    [],
    'each kind of fault is among them',
  );
});

test('scenario: what is written is what a person would write', () => {
  const { scenario } = readScenario({
    cluster: { nodes: 4, up: '1Gbit/s' },
    images: [{ name: image, layers: ['10 x 50MB', 7] }],
    workload: [{ pull: image, on: 'n1', at: '90s' }],
    faults: [{ kind: 'trickle', on: 'n0', rate: '10kB/s', from: 'n2', at: '1500ms', for: '1h' }],
  });
  const lines = formatScenario(scenario).split('\n');
  for (const line of [
    '  up: 1Gbit/s',
    '  mirrorRate: 16Gbit/s',
    '      - 10 x 50MB',
    '    at: 90s',
    '    rate: 10kB/s',
    '    at: 1500ms',
    'until: 1h',
  ])
    assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`);
});
