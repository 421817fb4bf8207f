import { createSimRandom } from '../kernel/random.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { AskSpec, ClusterSpec, ImageSpec, PullSpec, Scenario } from '../scenario/scenario.ts';
import { drawStrikes, strikeUs } from './draw-strikes.ts';

const second = 1_000_000;
const megabyte = 1_000_000;
const window = 8 * 1024 * 1024;
/** Of one window, of a few, with an end at a window's edge, of almost nothing. */
const layerSizes = [
  1,
  1_000,
  megabyte,
  megabyte,
  5 * megabyte,
  window - 1,
  window,
  window + 1,
  2 * window,
  24 * megabyte,
] as const;
/** When somebody pulls after it: when failures are forgotten, when what was lost is withdrawn, when records have expired. */
const laterUs = [2 * second, 70 * second, 130 * second, 2_700 * second] as const;

/**
 * A few nodes, an image that some of them have, and a pull of it by another, which one or two things befall just then: small runs in which nearly everything
 * is judged. What `drawScenario` draws is wilder, and hides as much as it shows.
 */
export function drawScene(seed: number): Scenario {
  const random = createSimRandom(seed);
  const cluster = drawCluster(random.fork('cluster'));
  const image = drawImage(random.fork('image'));
  const holders = random.fork('holders').pick([1, cluster.nodes - 1, cluster.nodes - 1]);
  const workload = drawWorkload(random.fork('workload'), image, cluster, holders);
  const asks = drawAsks(random.fork('asks'), image, cluster);
  const takesUs = Math.ceil((Math.max(...image.layerBytes) * second) / cluster.upBytesPerSecond);
  const lastUs = Math.max(...workload.map(({ atUs }) => atUs));
  return {
    name: `seed ${seed}`,
    shows: 'what befalls a pull',
    cluster,
    upstream: { bytesPerSecond: 100 * megabyte, latencyUs: random.fork('far').pick([1_000, 20_000]) },
    images: [image],
    workload,
    ...(asks.length === 0 ? {} : { asks }),
    faults: drawStrikes(random.fork('strikes'), { ...cluster, image, holders, takesUs, lastUs }),
    untilUs: lastUs + 900 * second,
  };
}

function drawCluster(random: SimRandom): ClusterSpec {
  const nodes = random.fork('nodes').pick([2, 3, 3, 3, 4]);
  const rate = random.fork('rate').pick([20, 100]) * megabyte;
  // Who pulls has one holder near, and the others far.
  const zoneOf = Array.from({ length: nodes }, (_, index) => (index < 2 ? 'a' : 'b'));
  return {
    nodes,
    ...(random.fork('zones').chance(1, 2) ? { zones: 2, zoneOf } : { zones: 1 }),
    upBytesPerSecond: rate,
    downBytesPerSecond: rate,
    latencyUs: random.fork('latency').pick([200, 1_000]),
    zoneLatencyUs: 1_000,
    mirrorBytesPerSecond: 2_000 * megabyte,
  };
}

function drawImage(random: SimRandom): ImageSpec {
  const layers = random.fork('count').pick([1, 1, 2, 4]);
  const layerBytes = Array.from({ length: layers }, (_, at) => random.fork(`layer ${at}`).pick(layerSizes));
  const moves = random.fork('moves');
  const movesAtUs = moves.chance(1, 6) ? { movesAtUs: [moves.pick([4, 12, 19]) * second] } : {};
  return { name: 'registry.example/app-1:1', layerBytes, ...movesAtUs };
}

/** Nodes from 1 on hold it, and node 0 pulls it; later somebody else does, or only then, or one of the holders again. */
function drawWorkload(
  random: SimRandom,
  { name: image }: ImageSpec,
  { nodes }: ClusterSpec,
  holders: number,
): PullSpec[] {
  const retries = random.fork('retries').pick([0, 0, 1, 3]);
  const held = Array.from({ length: holders }, (_, order) => ({
    atUs: second + order * 5 * second,
    node: order + 1,
    image,
  }));
  const first = { atUs: strikeUs, node: 0, image, retries };
  const later = random.fork('later');
  const atUs = strikeUs + later.pick(laterUs);
  const other = { ...first, atUs, node: later.below(nodes) };
  const again = { ...first, node: 1 };
  const pulls = later.pick<readonly PullSpec[]>([
    [first],
    [first],
    [first],
    [{ ...first, atUs }],
    [first, other],
    [first, again],
  ]);
  return [...held, ...pulls];
}

/** Clients that are no containerd, at odd parts, in no hurry or in too much of one; and who asks twice. */
function drawAsks(random: SimRandom, image: ImageSpec, { nodes }: ClusterSpec): AskSpec[] {
  const count = random.fork('count').pick([0, 0, 0, 1, 1, 2, 3]);
  const drawn = Array.from({ length: count }, (_, index) => drawAsk(random.fork(`ask ${index}`), image, nodes));
  const [first] = drawn;
  const twice = random.fork('twice');
  if (first === undefined || !twice.chance(1, 3)) return drawn;
  return [...drawn, { ...first, atUs: first.atUs + twice.pick([1_000, second, 5 * second]) }];
}

function drawAsk(random: SimRandom, { layerBytes, name: image }: ImageSpec, nodes: number): AskSpec {
  const node = random.fork('node').pick([0, 0, random.fork('any').below(nodes)]);
  const when = random.fork('when');
  const atUs = when.pick([strikeUs - 5 * second, strikeUs - second, strikeUs, strikeUs + when.below(100_000)]);
  const what = random.fork('what');
  if (what.chance(1, 5)) {
    const early = what.pick([second / 2, 3 * second, 15 * second, strikeUs]);
    const method = what.pick(['GET', 'HEAD'] as const);
    return { atUs: early, node, image, what: what.pick(['tag', 'tag', 'manifest', 'config']), method };
  }
  const layer = what.below(layerBytes.length);
  const sizeBytes = layerBytes[layer] ?? 1;
  const half = sizeBytes >> 1;
  const edges = [1, half, sizeBytes - 1, sizeBytes, sizeBytes + 5].map((at) => `bytes=${at}-`);
  const range = random.fork('range').pick([undefined, undefined, ...edges, `bytes=-${half + 1}`, `bytes=0-${half}`]);
  const leaves = random
    .fork('leaves')
    .pick<Partial<AskSpec>>([
      {},
      {},
      { patienceUs: 50_000 },
      { bytesMax: 1 },
      { bytesMax: half + 1 },
      { bytesPerSecond: megabyte },
    ]);
  return { atUs, node, image, what: layer, ...(range === undefined ? {} : { range }), ...leaves };
}
