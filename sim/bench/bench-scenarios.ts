import type { Scenario } from '../scenario/scenario.ts';

const megabyte = 1_000_000;
const second = 1_000_000;

export interface BenchCluster {
  readonly nodes: number;
  readonly layerBytes: readonly number[];
  /** How long after the first node the others pull; 0: all at once. */
  readonly restAfterUs: number;
  readonly upstreamBytesPerSecond: number;
}

/** One image on all nodes of a cluster in three zones, a gigabit each. */
export function benchScenario({ nodes, layerBytes, restAfterUs, upstreamBytesPerSecond }: BenchCluster): Scenario {
  const image = { name: 'docker.io/library/app:1', layerBytes };
  return {
    name: `bench of ${nodes} nodes`,
    shows: 'how fast the simulator is',
    cluster: {
      nodes,
      zones: 3,
      upBytesPerSecond: 125 * megabyte,
      downBytesPerSecond: 125 * megabyte,
      latencyUs: 200,
      zoneLatencyUs: 800,
      mirrorBytesPerSecond: 2_000 * megabyte,
    },
    upstream: { bytesPerSecond: upstreamBytesPerSecond, latencyUs: 10_000 },
    images: [image],
    workload: Array.from({ length: nodes }, (_, node) => ({
      atUs: second + (node === 0 ? 0 : restAfterUs),
      node,
      image: image.name,
    })),
    faults: [],
    untilUs: 24 * 3_600 * second,
  };
}
