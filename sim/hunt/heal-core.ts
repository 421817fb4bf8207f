import type { Fault } from '../faults/fault.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { HealSpec, Scenario } from '../scenario/scenario.ts';

const second = 1_000_000;
/** Longer than most bounds: the slowest source that there is may be all there is. */
const recoveryUs = 20_000 * second;

/**
 * Chaos, then a healed core: from one moment on some of the nodes and the upstream are well, and all else stays as it is just then: faults of others that last
 * are never over, and none begins. What pulls are under way in the core then, or begin later, must end in a bounded time (oracle `coreRecovers`).
 */
export function healCore(scenario: Scenario, random: SimRandom): Scenario {
  const { cluster, faults } = scenario;
  const lastUs = Math.max(0, ...faults.map(({ atUs }) => atUs));
  const atUs = random.between(Math.floor(lastUs / 2), lastUs + 5 * second);
  const core = Array.from({ length: cluster.nodes }, (_, node) => node).filter(() => random.chance(1, 2));
  return heal(scenario, { atUs, core: core.length === 0 ? [random.below(cluster.nodes)] : core });
}

/** The scenario with this core healed. */
export function heal(scenario: Scenario, spec: HealSpec): Scenario {
  const core = new Set<Fault['target']>([...spec.core, 'upstream']);
  const faults = scenario.faults.flatMap((fault): Fault[] => {
    if (fault.atUs >= spec.atUs) return [];
    const endUs = fault.untilUs ?? Infinity;
    if (endUs <= spec.atUs) return [fault];
    if (core.has(fault.target)) return [{ ...fault, untilUs: spec.atUs }];
    const { untilUs: _untilUs, ...frozen } = fault;
    return [frozen];
  });
  return { ...scenario, faults, heal: spec, untilUs: Math.max(scenario.untilUs, spec.atUs + recoveryUs) };
}
