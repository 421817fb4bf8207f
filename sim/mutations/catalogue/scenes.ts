import type { Fault } from '../../faults/fault.ts';
import type { ClusterSpec, Scenario } from '../../scenario/scenario.ts';

export const megabyte = 1_000_000;
export const second = 1_000_000;

/** Half a second over the puller's cable, and more windows than one. */
export const layerBytes = 50 * megabyte;
export const image = 'docker.io/library/app:1';
/** When the pull begins that the bug is to spoil: what others pulled before is known by then. */
export const pullUs = 20 * second;
/** In the middle of that pull's layer. */
export const midPullUs = pullUs + 250_000;

const cluster: ClusterSpec = {
  nodes: 3,
  zones: 1,
  upBytesPerSecond: 100 * megabyte,
  downBytesPerSecond: 100 * megabyte,
  latencyUs: 200,
  zoneLatencyUs: 200,
  mirrorBytesPerSecond: 2_000 * megabyte,
};

/** Nodes from 1 on hold the image, and node 0 pulls it from them. */
export function scene(
  faults: readonly Fault[],
  changes: Partial<Scenario> & { readonly holders?: number } = {},
): Scenario {
  const { holders = 2, ...rest } = changes;
  return {
    name: 'a pull from holders',
    shows: 'what a bug does',
    cluster: { ...cluster, nodes: holders + 1 },
    upstream: { bytesPerSecond: 100 * megabyte, latencyUs: 5_000 },
    images: [{ name: image, layerBytes: [layerBytes] }],
    workload: [
      ...Array.from({ length: holders }, (_, order) => ({
        atUs: second + order * 5 * second,
        node: order + 1,
        image,
      })),
      { atUs: pullUs, node: 0, image },
    ],
    faults,
    untilUs: 900 * second,
    ...rest,
  };
}

export const bothHolders = (fault: Omit<Fault, 'target'>): Fault[] => [1, 2].map((target) => ({ ...fault, target }));

export const oneHolder = (fault: Omit<Fault, 'target'>): Fault[] => [{ ...fault, target: 1 }];

/** What peers have is all there is. */
export const upstreamGone: Fault = {
  atUs: pullUs - 2 * second,
  target: 'upstream',
  what: { kind: 'http', fault: { kind: 'refuse' } },
};

/** Node 1 is near to node 0, which asks it first; node 2 is far. */
export const nearAndFar: ClusterSpec = { ...cluster, zones: 2, zoneOf: ['a', 'a', 'b'] };
