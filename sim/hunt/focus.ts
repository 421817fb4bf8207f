import type { Fault } from '../faults/fault.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { HttpFault } from '../network/http-fault.ts';
import type { AskSpec, PullSpec, Scenario } from '../scenario/scenario.ts';

const second = 1_000_000;

/** From a pull's begin to what goes wrong: bodies are short, and what begins anywhere hits nobody. */
const afterUs = [-100_000, -1_000, 0, 1_000, 5_000, 20_000, 50_000, 100_000, 300_000, second] as const;

/** The same faults, each of them about when some pull is under way. */
export function aim({ faults, workload }: Scenario, random: SimRandom): readonly Fault[] {
  return faults.map((fault, index): Fault => {
    const own = random.fork(`fault ${index}`);
    const pull = workload[own.below(workload.length)];
    if (pull === undefined) return fault;
    const lateUs = own.pick(afterUs);
    const atUs = Math.max(0, pull.atUs + lateUs + own.below(1 + Math.abs(lateUs)));
    const { untilUs } = fault;
    return { ...fault, atUs, ...(untilUs === undefined ? {} : { untilUs: atUs + (untilUs - fault.atUs) }) };
  });
}

/** What befalls a body of one pull while it flows: in the middle of a transfer by its time, or at a byte at whose edges something changes. */
export function strike(scenario: Scenario, random: SimRandom): readonly Fault[] {
  const { cluster, workload } = scenario;
  // The first ones get theirs from the upstream.
  const pulls = workload.toSorted((one, other) => one.atUs - other.atUs).slice(1);
  if (cluster.nodes < 2 || pulls.length === 0) return [];
  return Array.from({ length: random.fork('count').between(1, 3) }, (_, index): Fault => {
    const own = random.fork(`strike ${index}`);
    const pull = pulls[own.below(pulls.length)] ?? { atUs: 0, node: 0, image: '' };
    const target = (pull.node + own.between(1, cluster.nodes - 1)) % cluster.nodes;
    return own.chance(1, 2) ? strikeBytes(own, scenario, pull, target) : strikeNode(own, scenario, pull, target);
  });
}

/** Clients that are no containerd, about when pulls are under way: the parts that they ask for begin and end where containerd's never do. */
export function askAlong(scenario: Scenario, random: SimRandom): readonly AskSpec[] {
  const { cluster, images, workload } = scenario;
  return Array.from({ length: random.fork('count').between(1, 3) }, (_, index): AskSpec => {
    const own = random.fork(`ask ${index}`);
    const pull = workload[own.below(workload.length)];
    const image = pull?.image ?? '';
    const layers = images.find(({ name }) => name === image)?.layerBytes ?? [];
    const what = own.below(Math.max(1, layers.length));
    const sizeBytes = layers[what] ?? 0;
    const half = sizeBytes >> 1;
    const ranges = [
      'bytes=1-',
      `bytes=-${half + 1}`,
      `bytes=-${sizeBytes}`,
      `bytes=${half}-`,
      `bytes=0-${half}`,
    ] as const;
    const range = own.pick([undefined, ...ranges]);
    const leaves = own.pick([undefined, undefined, 1, half]);
    const rate = own.pick([undefined, undefined, 1 + (sizeBytes >> 2)]);
    return {
      atUs: (pull?.atUs ?? 0) + own.below(second),
      node: own.below(cluster.nodes),
      image,
      what,
      ...(range === undefined ? {} : { range }),
      ...(leaves === undefined ? {} : { bytesMax: leaves }),
      ...(rate === undefined ? {} : { bytesPerSecond: rate }),
    };
  });
}

function strikeBytes(random: SimRandom, scenario: Scenario, pull: PullSpec, target: number): Fault {
  const sizeBytes = layerOf(random, scenario, pull);
  const windowBytes = scenario.limits?.windowBytes ?? 8 * 1024 * 1024;
  const atByte = random.pick([
    0,
    1,
    windowBytes - 1,
    windowBytes,
    Math.min(sizeBytes, windowBytes) >> 1,
    Math.max(0, sizeBytes - 1),
    -1,
    random.below(1 + Math.min(sizeBytes, windowBytes)),
  ]);
  const fault = random.pick<HttpFault>([
    { kind: 'reset', atByte },
    { kind: 'cut', atByte },
    { kind: 'stall', atByte },
    { kind: 'trickle', bytesPerSecond: random.pick([1_000, 100_000]) },
    { kind: 'ignore-range' },
    { kind: 'shift-range', bytes: 1 },
    { kind: 'other-size', bytes: 1 },
    { kind: 'silent-head' },
    { kind: 'slow-head', delayUs: random.pick([160_000, 600_000]) },
    { kind: 'status', status: random.pick([404, 429, 500, 503]) },
  ]);
  const atUs = Math.max(0, pull.atUs - random.pick([0, 10_000, 100_000]));
  const every = random.pick([undefined, undefined, 2, 3]);
  const what = { kind: 'http', fault, ...(every === undefined ? {} : { every }) } as const;
  return { atUs, target, what, untilUs: atUs + random.pick([100_000, second, 10 * second]) };
}

function strikeNode(random: SimRandom, scenario: Scenario, pull: PullSpec, target: number): Fault {
  const { downBytesPerSecond, upBytesPerSecond } = scenario.cluster;
  const takesUs = Math.ceil(
    (layerOf(random, scenario, pull) * second) / Math.min(upBytesPerSecond, downBytesPerSecond),
  );
  const atUs = pull.atUs + random.pick([5_000, 10_000]) + random.below(1 + takesUs);
  const kind = random.pick(['crash', 'crash-empty', 'pause', 'drain', 'unplug', 'remove-layers'] as const);
  return { atUs, target, what: { kind }, untilUs: atUs + random.pick([100_000, second, 10 * second]) };
}

function layerOf(random: SimRandom, { images }: Scenario, { image }: PullSpec): number {
  const layers = images.find(({ name }) => name === image)?.layerBytes ?? [];
  return layers[random.below(Math.max(1, layers.length))] ?? 0;
}
