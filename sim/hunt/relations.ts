import { defaultLimits } from '../../core/index.ts';
import type { Limits } from '../../core/index.ts';
import type { Fault } from '../faults/fault.ts';
import type { Scenario } from '../scenario/scenario.ts';

/*
 * Scenarios that are to come to the same as another one, or to no worse: what nobody can say of one run alone can be said of two.
 */

/** One more node, which has pulled everything before anybody else does, and to which nothing happens. What succeeded without it succeeds with it. */
export function withHonestHolder(scenario: Scenario): Scenario {
  const { cluster, images, workload } = scenario;
  const holder = cluster.nodes;
  const pulls = images.map(({ name }) => ({ atUs: 0, node: holder, image: name, retries: 3 }));
  // At the end: what refers to pulls by their place goes on to do so.
  return { ...scenario, cluster: { ...cluster, nodes: holder + 1 }, workload: [...workload, ...pulls] };
}

/** The same cluster, its nodes in another order and so by other names. Every node gets the same bytes. `order[i]`: where node i goes. */
export function withPermutedNodes(scenario: Scenario, order: readonly number[]): Scenario {
  const { asks, cluster, faults, workload } = scenario;
  const moved = (node: number): number => order[node] ?? node;
  const zones = Array.from(
    { length: cluster.nodes },
    (_, node) => cluster.zoneOf?.[node] ?? `z${node % cluster.zones}`,
  );
  const zoneOf = zones.map((_, node) => zones[order.indexOf(node)] ?? '');
  return {
    ...scenario,
    cluster: { ...cluster, zoneOf },
    workload: workload.map((pull) => ({ ...pull, node: moved(pull.node) })),
    ...(asks === undefined ? {} : { asks: asks.map((ask) => ({ ...ask, node: moved(ask.node) })) }),
    faults: faults.map((fault): Fault => {
      const target = fault.target === 'upstream' ? fault.target : moved(fault.target);
      const { what } = fault;
      if (what.kind !== 'http' || what.from === undefined) return { ...fault, target };
      return { ...fault, target, what: { ...what, from: moved(what.from) } };
    }),
  };
}

/** Everything takes `times` as long, bounds included, and every rate is so much lower: a run of it takes so much longer, and is the same otherwise. */
export function slowedDown(scenario: Scenario, times: number): Scenario {
  const { cluster, limits, upstream, workload } = scenario;
  return {
    ...scenario,
    cluster: {
      ...cluster,
      upBytesPerSecond: cluster.upBytesPerSecond / times,
      downBytesPerSecond: cluster.downBytesPerSecond / times,
      mirrorBytesPerSecond: cluster.mirrorBytesPerSecond / times,
      latencyUs: cluster.latencyUs * times,
      zoneLatencyUs: cluster.zoneLatencyUs * times,
    },
    upstream: {
      ...upstream,
      bytesPerSecond: upstream.bytesPerSecond / times,
      latencyUs: upstream.latencyUs * times,
    },
    limits: slowedLimits({ ...defaultLimits, ...limits }, times),
    workload: workload.map((pull) => ({ ...pull, atUs: pull.atUs * times })),
    untilUs: scenario.untilUs * times,
  };
}

function slowedLimits(limits: Limits, times: number): Partial<Limits> {
  const entries = Object.entries(limits).map(([name, value]: [string, number]) => {
    if (name.endsWith('Us')) return [name, value * times];
    return [name, name.endsWith('BytesPerSecond') ? value / times : value];
  });
  return Object.fromEntries(entries) as Partial<Limits>;
}
