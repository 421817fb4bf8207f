import type { Fault } from '../faults/fault.ts';
import { createSimRandom } from '../kernel/random.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { AskSpec, ClusterSpec, ImageSpec, PullSpec, Scenario } from '../scenario/scenario.ts';
import { drawFault, isFaultKind, swarmKinds } from './draw-fault.ts';

export interface DrawOptions {
  /** `small`: some thousand events, up to 6 nodes; `large`: 6 to 12 nodes, larger images, more faults. @default 'small' */
  readonly size?: 'small' | 'large';
  /** Kinds of fault that are never drawn (`crash`, `http`, `reset`, `records stale`). @default none */
  readonly without?: readonly string[];
}

const second = 1_000_000;
const megabyte = 1_000_000;
const window = 8 * 1024 * 1024;
/** Sizes at whose edges something changes, and some between. containerd itself refuses content of no bytes. */
const smallSizes = [
  1,
  2,
  4_096,
  65_537,
  megabyte,
  window - 1,
  window,
  window + 1,
  2 * window,
  2 * window + 3,
  40 * megabyte,
] as const;
const largeSizes = [...smallSizes, 16 * window - 1, 250 * megabyte, 1_000 * megabyte] as const;
const rates = [2, 10, 50, 125] as const;
const ranges = ['bytes=0-', 'bytes=0-0', 'bytes=1-', 'bytes=-1', 'bytes=4095-4096', 'bytes=8388607-8388608'] as const;
/** What goes wrong begins and ends within it; pulls begin within it too. */
const chaosUs = 30 * second;
/** Long enough for every bound after it. */
const untilUs = 900 * second;

interface Sizes {
  readonly nodes: readonly [number, number];
  readonly layers: number;
  readonly layerBytes: readonly [number, ...number[]];
  readonly faults: number;
  readonly rates: readonly [number, ...number[]];
  readonly upstreamRates: readonly [number, ...number[]];
}

const sizes: Readonly<Record<'small' | 'large', Sizes>> = {
  small: { nodes: [1, 6], layers: 4, layerBytes: smallSizes, faults: 5, rates, upstreamRates: [20, 100] },
  large: {
    nodes: [6, 12],
    layers: 10,
    layerBytes: largeSizes,
    faults: 12,
    rates: [125, 1_250],
    upstreamRates: [500, 2_000],
  },
};

/** A cluster in which things go wrong, drawn from its seed. Whole kinds of fault are off in each, so that the others get deep. */
export function drawScenario(seed: number, { size = 'small', without = [] }: DrawOptions = {}): Scenario {
  const random = createSimRandom(seed);
  const own = sizes[size];
  const cluster = drawCluster(random.fork('cluster'), own);
  const images = drawImages(random.fork('images'), own);
  const asks = drawAsks(random.fork('asks'), cluster, images);
  const buggifyIn64 = random.fork('buggify').pick([0, 0, 1, 8]);
  return {
    name: `seed ${seed}`,
    shows: 'what a chance finds',
    cluster,
    upstream: { bytesPerSecond: random.fork('upstream').pick(own.upstreamRates) * megabyte, latencyUs: 10_000 },
    images,
    workload: drawWorkload(random.fork('workload'), cluster, images),
    ...(asks.length === 0 ? {} : { asks }),
    faults: drawFaults(random.fork('faults'), cluster, own, new Set(without)),
    ...(buggifyIn64 === 0 ? {} : { buggifyIn64 }),
    untilUs,
  };
}

function drawCluster(random: SimRandom, { nodes: [fewest, most], rates: own }: Sizes): ClusterSpec {
  const rate = random.fork('rate').pick(own) * megabyte;
  const nodes = random.fork('nodes').between(fewest, most);
  const zones = random.fork('zones').between(1, 3);
  const uneven = random.fork('uneven');
  // All but one node in one zone, or spread in turn.
  const zoneOf = Array.from({ length: nodes }, (_, index) => (index === 0 ? 'z1' : 'z0'));
  const latency = random.fork('latency');
  return {
    nodes,
    zones,
    ...(zones > 1 && uneven.chance(1, 4) ? { zoneOf } : {}),
    upBytesPerSecond: rate,
    downBytesPerSecond: uneven.chance(1, 4) ? 4 * rate : rate,
    latencyUs: latency.pick([50, 200, 1_000]),
    zoneLatencyUs: latency.pick([500, 5_000]),
    mirrorBytesPerSecond: 2_000 * megabyte,
  };
}

function drawImages(random: SimRandom, { layerBytes, layers }: Sizes): ImageSpec[] {
  return Array.from({ length: random.fork('count').between(1, 2) }, (_, index) => {
    const own = random.fork(`image ${index}`);
    const isMany = own.chance(1, 8);
    const count = isMany ? 5 * layers : own.between(1, layers);
    const bytes = (layer: number): number => own.fork(`layer ${layer}`).pick(isMany ? [1, 4_096] : layerBytes);
    return { name: `registry.example/app-${index}:1`, layerBytes: Array.from({ length: count }, (_, at) => bytes(at)) };
  });
}

function drawWorkload(random: SimRandom, { nodes }: ClusterSpec, images: readonly ImageSpec[]): PullSpec[] {
  return images.flatMap(({ name: image }, index) => {
    const own = random.fork(`image ${index}`);
    const first = own.below(nodes);
    const isTogether = own.chance(1, 4);
    return Array.from({ length: nodes }, (_, node): PullSpec => {
      const at = own.fork(`node ${node}`).between(second, chaosUs);
      return { atUs: node === first || isTogether ? second : at, node, image, retries: 3 };
    });
  });
}

/** Clients that are no containerd: they ask for ranges, take their time and hang up. */
function drawAsks(random: SimRandom, { nodes }: ClusterSpec, images: readonly ImageSpec[]): AskSpec[] {
  if (!random.fork('any').chance(1, 4)) return [];
  return Array.from({ length: random.fork('count').between(1, 6) }, (_, index): AskSpec => {
    const own = random.fork(`ask ${index}`);
    const image = images[own.below(images.length)] ?? images[0];
    const layer = own.below(image?.layerBytes.length ?? 1);
    return {
      atUs: own.between(2 * second, chaosUs + 10 * second),
      node: own.below(nodes),
      image: image?.name ?? '',
      what: own.pick<AskSpec['what']>(['tag', 'manifest', 'config', layer, layer, layer]),
      ...(own.chance(1, 2) ? { range: own.pick(ranges) } : {}),
      ...(own.chance(1, 4) ? { bytesMax: own.pick([1, 4_096, window]) } : {}),
      ...(own.chance(1, 8) ? { bytesPerSecond: 100_000, patienceUs: 10 * second } : {}),
    };
  });
}

function drawFaults(random: SimRandom, { nodes }: ClusterSpec, own: Sizes, without: ReadonlySet<string>): Fault[] {
  const isOn = (kind: string): boolean => !without.has(kind) && random.fork(`swarm ${kind}`).chance(1, 2);
  const [first, ...more] = swarmKinds.filter(isFaultKind).filter(isOn);
  if (first === undefined) return [];
  return Array.from({ length: random.fork('count').below(own.faults) }, (_, index): Fault => {
    const each = random.fork(`fault ${index}`);
    return drawFault(each, each.pick([first, ...more]), chaosUs, { nodes, isOn });
  });
}
