import type fastCheck from 'fast-check';
import type { Arbitrary } from 'fast-check';
import type { Fault } from '../faults/fault.ts';
import type { ClusterSpec, ImageSpec, PullSpec, Scenario } from '../scenario/scenario.ts';
import { faultArbitrary } from './fault-arbitrary.ts';

/** What of fast-check is used: it is passed in, so that who only simulates needs none. */
export type FastCheckModule = typeof fastCheck;

export interface ScenarioShape {
  /** @default 5 */
  readonly nodesMax?: number;
  /** @default 4 */
  readonly faultsMax?: number;
  /** @default 3 */
  readonly layersMax?: number;
}

export interface Arbitraries {
  cluster(shape?: ScenarioShape): Arbitrary<ClusterSpec>;
  images(shape?: ScenarioShape): Arbitrary<readonly ImageSpec[]>;
  /** Pulls of these images by these nodes; each at most once by each. */
  workload(nodes: number, images: readonly ImageSpec[]): Arbitrary<readonly PullSpec[]>;
  /** All of them end. */
  faults(nodes: number, shape?: ScenarioShape): Arbitrary<readonly Fault[]>;
  /** A cluster, images, pulls and faults; shrinks to few nodes, few faults and simple ones, early and short. */
  scenario(shape?: ScenarioShape): Arbitrary<Scenario>;
}

const second = 1_000_000;
const megabyte = 1_000_000;
const window = 8 * 1024 * 1024;
const chaosUs = 30 * second;
const untilUs = 900 * second;
const layerSizes = [1, 4_096, megabyte, window - 1, window, window + 1, 40 * megabyte] as const;

/**
 * Scenarios as values of fast-check.
 *
 * @example
 * const { scenario } = arbitraries(fc);
 * fc.assert(fc.asyncProperty(scenario(), async (drawn) => (await simulate(drawn)).violations.length === 0));
 */
export function arbitraries(fc: FastCheckModule): Arbitraries {
  const cluster = ({ nodesMax = 5 }: ScenarioShape = {}): Arbitrary<ClusterSpec> =>
    fc.record({
      nodes: fc.integer({ min: 1, max: nodesMax }),
      zones: fc.integer({ min: 1, max: 3 }),
      upBytesPerSecond: fc.constantFrom(100 * megabyte, 10 * megabyte, 2 * megabyte),
      downBytesPerSecond: fc.constantFrom(100 * megabyte, 10 * megabyte),
      latencyUs: fc.constantFrom(200, 50, 1_000),
      zoneLatencyUs: fc.constantFrom(500, 5_000),
      mirrorBytesPerSecond: fc.constant(2_000 * megabyte),
    });
  const images = ({ layersMax = 3 }: ScenarioShape = {}): Arbitrary<readonly ImageSpec[]> =>
    fc
      .array(fc.array(fc.constantFrom(...layerSizes), { minLength: 1, maxLength: layersMax }), {
        minLength: 1,
        maxLength: 2,
      })
      .map((all) => all.map((layerBytes, index) => ({ name: `registry.example/app-${index}:1`, layerBytes })));
  const pull = fc.record({ node: fc.nat(1_000), image: fc.nat(1_000), atMs: fc.nat(chaosUs / 1_000) });
  const workload = (nodes: number, from: readonly ImageSpec[]): Arbitrary<readonly PullSpec[]> =>
    fc.array(pull, { minLength: 1, maxLength: 2 * nodes }).map((drawn) => pullsOf(drawn, nodes, from));
  const faults = (nodes: number, { faultsMax = 4 }: ScenarioShape = {}): Arbitrary<readonly Fault[]> =>
    fc.array(faultArbitrary(fc, chaosUs), { maxLength: faultsMax }).map((all) => all.map((draw) => draw(nodes)));
  return {
    cluster,
    images,
    workload,
    faults,
    // Nodes are drawn from many and taken by their number's rest, so that all parts shrink on their own.
    scenario: (shape = {}) =>
      fc
        .record({
          cluster: cluster(shape),
          images: images(shape),
          pulls: fc.array(pull, { minLength: 1, maxLength: 10 }),
          faults: fc.array(faultArbitrary(fc, chaosUs), { maxLength: shape.faultsMax ?? 4 }),
          upstreamBytesPerSecond: fc.constantFrom(100 * megabyte, 20 * megabyte),
        })
        .map((drawn): Scenario => {
          const { nodes } = drawn.cluster;
          return {
            name: 'drawn',
            shows: 'what fast-check finds',
            cluster: drawn.cluster,
            upstream: { bytesPerSecond: drawn.upstreamBytesPerSecond, latencyUs: 10_000 },
            images: drawn.images,
            workload: pullsOf(drawn.pulls, nodes, drawn.images),
            faults: drawn.faults.map((draw) => draw(nodes)),
            untilUs,
          };
        }),
  };
}

interface DrawnPull {
  readonly node: number;
  readonly image: number;
  readonly atMs: number;
}

function pullsOf(drawn: readonly DrawnPull[], nodes: number, images: readonly ImageSpec[]): readonly PullSpec[] {
  const pulls = new Map<string, PullSpec>();
  for (const { atMs, image, node } of drawn) {
    const index = node % nodes;
    const name = images[image % images.length]?.name ?? '';
    if (!pulls.has(`${index} ${name}`))
      pulls.set(`${index} ${name}`, { atUs: second + atMs * 1_000, node: index, image: name, retries: 3 });
  }
  return [...pulls.values()];
}
