import assert from 'node:assert/strict';
import { simulate } from '../../run/simulate.ts';
import type { SimEvent } from '../../run/trace.ts';
import type { World } from '../../run/world.ts';
import type { ClusterSpec, PullSpec, Scenario } from '../../scenario/scenario.ts';
import type { Fault } from '../fault.ts';

export const megabyte = 1_000_000;
export const second = 1_000_000;
export const layer = 50 * megabyte;
export const image = { name: 'docker.io/library/app:1', layerBytes: [layer] };

export interface Seen {
  readonly outcome: string;
  readonly seconds: number;
  /** Copies of the image that the last pull took from upstream. */
  readonly upstream: number;
  readonly world: World;
  readonly events: readonly SimEvent[];
}

/** Node 1 has the image early; node 0 pulls it 20 s later; half a second of cable. */
export async function see(
  faults: readonly Fault[],
  { beginUs = 20 * second, cluster, nodes = 3, pulls, quietUs = 0, look }: SeeOptions = {},
): Promise<Seen> {
  const scenario: Scenario = {
    name: 'one fault',
    shows: 'what it does',
    cluster: {
      nodes,
      zones: 1,
      upBytesPerSecond: 100 * megabyte,
      downBytesPerSecond: 100 * megabyte,
      latencyUs: 200,
      zoneLatencyUs: 200,
      mirrorBytesPerSecond: 2_000 * megabyte,
      ...cluster,
    },
    upstream: { bytesPerSecond: 100 * megabyte, latencyUs: 5_000 },
    images: [image],
    workload: pulls ?? [
      { atUs: second, node: 1, image: image.name },
      { atUs: beginUs, node: 0, image: image.name },
    ],
    faults,
    untilUs: 900 * second,
  };
  const events: SimEvent[] = [];
  const worlds: World[] = [];
  const result = await simulate(scenario, {
    drain: 'tick',
    onWorld: (world) => {
      worlds.push(world);
      world.trace.watch((event) => events.push(event));
      if (look !== undefined) world.kernel.schedule(beginUs + quietUs, () => look(world));
    },
  });
  const [world] = worlds;
  assert.ok(world !== undefined);
  const { outcome = '', tookUs = Infinity } = result.pulls.at(-1) ?? {};
  return { outcome, seconds: tookUs / second, upstream: result.upstreamBytes / layer - 1, world, events };
}

export interface SeeOptions {
  readonly beginUs?: number;
  /** What of the cluster is otherwise. */
  readonly cluster?: Partial<ClusterSpec>;
  readonly nodes?: number;
  /** In place of those two. The last one is looked at. */
  readonly pulls?: readonly PullSpec[];
  readonly quietUs?: number;
  readonly look?: (world: World) => void;
}

export const forEver = 900 * second;
export const fromPeer = ({ outcome, upstream }: Seen): boolean => outcome === 'ok' && upstream < 0.01;
export const fromUpstream = ({ outcome, upstream }: Seen): boolean => outcome === 'ok' && upstream > 0.99;
export const knownBy = (world: World, node: number): readonly string[] =>
  (world.nodes[node]?.mirror?.seat?.view.members() ?? []).map(({ id }) => id);
