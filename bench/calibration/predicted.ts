import { Gaps, simulate } from '../../sim/index.ts';
import type { Fault, Scenario, World } from '../../sim/index.ts';
import type { Outcome, Situation } from './situation.ts';

/** Holders pull here, one after the other; all is quiet again when the situation begins. */
const loadStepUs = 30_000_000;
const untilUs = 900_000_000;
/** What a bridge and two namespaces on one machine take, one way. */
const latencyUs = 100;

/** Fitted: containerd's steps after a layer's last byte, stores on tmpfs, two cores for all nodes. */
const unpack = { layerUs: 12_000, bytesPerSecond: 400_000_000, sharedBytesPerSecond: 800_000_000 };

/** Runs the situation once in the simulator. */
export async function predict(situation: Situation, seed: number): Promise<Outcome> {
  const { holders } = situation;
  const beginUs = (holders.length + 1) * loadStepUs;
  const gaps = createGapWatch(beginUs);
  const { pulls } = await simulate(scenarioOf(situation, seed, beginUs), {
    seed,
    policy: 'peili',
    drain: 'tick',
    onWorld: gaps.watch,
  });
  const wave = pulls.slice(holders.length);
  const failed = wave.find(({ outcome }) => outcome !== 'ok');
  if (failed !== undefined)
    throw new Error(`${situation.name}: the pull of ${failed.node} ended with ${failed.outcome}`);
  const ends = wave.map(({ startUs, tookUs = untilUs }) => startUs + tookUs);
  return { makespanSeconds: (Math.max(...ends) - beginUs) / 1e6, ...gaps.outcome() };
}

function scenarioOf(situation: Situation, seed: number, beginUs: number): Scenario {
  // Another image each time, as there: other members keep its records.
  const imageName = `registry.example/calibration/image-${seed}:1.0`;
  const { fault, holders, layerBytes, nodeBitsPerSecond, pulls, upstreamBitsPerSecond, zones } = situation;
  return {
    name: situation.name,
    shows: 'what containerd nodes were measured to do',
    cluster: {
      nodes: zones.length,
      zones: 1,
      zoneOf: zones,
      upBytesPerSecond: nodeBitsPerSecond / 8,
      downBytesPerSecond: 2_000_000_000,
      latencyUs,
      zoneLatencyUs: latencyUs,
      mirrorBytesPerSecond: 2_000_000_000,
      unpack,
    },
    upstream: { bytesPerSecond: upstreamBitsPerSecond / 8, latencyUs },
    images: [{ name: imageName, layerBytes }],
    workload: [
      ...holders.map((node, order) => ({ atUs: order * loadStepUs + 1_000_000, node, image: imageName })),
      ...pulls.map(({ node, afterMs }) => ({ atUs: beginUs + afterMs * 1000, node, image: imageName })),
    ],
    faults: fault === undefined ? [] : [faultOf(fault, beginUs)],
    untilUs,
  };
}

function faultOf({ kind, node, afterMs }: NonNullable<Situation['fault']>, beginUs: number): Fault {
  const kinds = { freeze: 'pause', kill: 'crash', unplug: 'unplug' } as const;
  return { atUs: beginUs + afterMs * 1000, target: node, what: { kind: kinds[kind] } };
}

/** Watches what nodes receive from `beginUs` on. */
function createGapWatch(beginUs: number) {
  const state = { upstreamBytes: 0, imageBytes: 0 };
  const gapsOf = new Map<string, Gaps>();
  const ways = new Map<number, { readonly gaps: Gaps | undefined; readonly isFed: boolean }>();
  const fromUpstream = new Set<number>();
  const watch = (world: World): void => {
    for (const image of world.images.values()) {
      const contents = [image.manifest, image.config, ...image.layers];
      state.imageBytes = contents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    }
    world.trace.watch((event) => {
      if (event.atUs < beginUs) return;
      if (event.type === 'pull-begin') {
        const gaps = new Gaps();
        gaps.begin(event.atUs);
        gapsOf.set(event.node, gaps);
      }
      if (event.type === 'request') {
        const { host, role } = event.from;
        ways.set(event.exchange, { gaps: gapsOf.get(host.name), isFed: role === 'mirror' });
      }
      if (event.type === 'request' && event.to === world.upstream) fromUpstream.add(event.exchange);
      if (event.type !== 'bytes') return;
      if (fromUpstream.has(event.exchange)) state.upstreamBytes += event.bytes;
      const { gaps, isFed } = ways.get(event.exchange) ?? {};
      if (isFed === true) gaps?.feed(event);
      else gaps?.got(event);
    });
  };
  return {
    watch,
    outcome: () => ({
      upstreamCopies: state.upstreamBytes / state.imageBytes,
      longestGapSeconds: Math.max(0, ...gapsOf.values().map(({ longestUs }) => longestUs)) / 1e6,
    }),
  };
}
