import { createSimRandom } from '../kernel/random.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { Fault, FaultKind } from '../faults/fault.ts';
import type { HttpFault } from '../network/http-fault.ts';
import type { ClusterSpec, ImageSpec, PullSpec, Scenario } from '../scenario/scenario.ts';

const second = 1_000_000;
const megabyte = 1_000_000;
const window = 8 * 1024 * 1024;
/** Sizes at whose edges something changes, and some between. */
const sizes = [
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
const rates = [2, 10, 50, 125] as const;
/** What goes wrong begins and ends within it; pulls begin within it too. */
const chaosUs = 30 * second;
/** Long enough for every bound after it. */
const untilUs = 900 * second;

const faultKinds = [
  'crash',
  'crash-empty',
  'drain',
  'pause',
  'unplug',
  'rate',
  'http',
  'corrupt',
  'remove-layers',
  'wall',
  'mute-records',
] as const satisfies readonly FaultKind['kind'][];
const httpKinds = [
  'refuse',
  'black-hole',
  'silent-head',
  'slow-head',
  'reset',
  'stall',
  'flip',
  'trickle',
  'status',
  'ignore-range',
  'shift-range',
  'other-size',
  'other-digest',
] as const satisfies readonly HttpFault['kind'][];

/** A small cluster in which things go wrong, drawn from its seed. Whole kinds of fault are off in some, so that the others get deep. */
export function drawScenario(seed: number): Scenario {
  const random = createSimRandom(seed);
  const cluster = drawCluster(random.fork('cluster'));
  const images = drawImages(random.fork('images'));
  return {
    name: `seed ${seed}`,
    shows: 'what a chance finds',
    cluster,
    upstream: { bytesPerSecond: random.fork('upstream').pick([20, 100]) * megabyte, latencyUs: 10_000 },
    images,
    workload: drawWorkload(random.fork('workload'), cluster, images),
    faults: drawFaults(random.fork('faults'), cluster),
    untilUs,
  };
}

function drawCluster(random: SimRandom): ClusterSpec {
  const rate = random.pick(rates) * megabyte;
  return {
    nodes: random.between(2, 6),
    zones: random.between(1, 3),
    upBytesPerSecond: rate,
    downBytesPerSecond: rate,
    latencyUs: random.pick([50, 200, 1_000]),
    zoneLatencyUs: random.pick([500, 5_000]),
    mirrorBytesPerSecond: 2_000 * megabyte,
  };
}

function drawImages(random: SimRandom): ImageSpec[] {
  return Array.from({ length: random.between(1, 2) }, (_, index) => ({
    name: `registry.example/app-${index}:1`,
    layerBytes: Array.from({ length: random.between(1, 4) }, () => random.pick(sizes)),
  }));
}

function drawWorkload(random: SimRandom, { nodes }: ClusterSpec, images: readonly ImageSpec[]): PullSpec[] {
  return images.flatMap(({ name: image }, index) => {
    const first = random.below(nodes);
    return Array.from({ length: nodes }, (_, node): PullSpec => {
      const own = random.fork(`${index} ${node}`);
      const atUs = node === first ? second : own.between(second, chaosUs);
      return { atUs, node, image, retries: 3 };
    });
  });
}

function drawFaults(random: SimRandom, { nodes }: ClusterSpec): Fault[] {
  const isOn = new Set<string>(
    [...faultKinds, ...httpKinds].filter((kind) => random.fork(`swarm ${kind}`).chance(1, 2)),
  );
  const [first, ...more] = faultKinds.filter((kind) => isOn.has(kind));
  if (first === undefined) return [];
  return Array.from({ length: random.below(5) }, (_, index): Fault => {
    const own = random.fork(`fault ${index}`);
    const atUs = own.between(0, chaosUs);
    return {
      atUs,
      target: own.below(nodes),
      what: drawKind(
        own,
        own.pick([first, ...more]),
        httpKinds.filter((kind) => isOn.has(kind)),
        nodes,
      ),
      untilUs: Math.min(chaosUs + second, atUs + own.pick([100_000, second, 5 * second, chaosUs])),
    };
  });
}

function drawKind(
  random: SimRandom,
  kind: FaultKind['kind'],
  kinds: readonly HttpFault['kind'][],
  nodes: number,
): FaultKind {
  switch (kind) {
    case 'rate':
      return { kind, bytesPerSecond: random.pick([10_000, 100_000, megabyte]) };
    case 'corrupt':
      return { kind, atByte: random.below(3 * window) };
    case 'wall':
      return { kind, offsetUs: random.pick([-3_600, -1, 1, 86_400]) * second };
    case 'http': {
      const [first = 'refuse', ...more] = kinds;
      const fault = drawHttp(random, random.pick([first, ...more]));
      return random.chance(1, 3) ? { kind, fault, from: random.below(nodes) } : { kind, fault };
    }
    default:
      return { kind };
  }
}

function drawHttp(random: SimRandom, kind: HttpFault['kind']): HttpFault {
  const atByte = random.pick([0, 1, 4_096, megabyte, window - 1, window]);
  switch (kind) {
    case 'slow-head':
      return { kind, delayUs: random.pick([10_000, 160_000, 700_000]) };
    case 'reset':
    case 'cut':
    case 'stall':
    case 'flip':
      return { kind, atByte };
    case 'trickle':
      return { kind, bytesPerSecond: random.pick([100, 10_000, 200_000]) };
    case 'status':
      return { kind, status: random.pick([404, 429, 500, 503]) };
    case 'shift-range':
    case 'other-size':
    case 'short-length':
    case 'long-length':
      return { kind, bytes: random.pick([1, 4_096]) };
    default:
      return { kind };
  }
}
