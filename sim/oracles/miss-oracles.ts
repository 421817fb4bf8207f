import type { PullEvent } from '../../core/index.ts';
import type { OracleFactory } from './oracle.ts';

/** What lies between two events of one node. */
const momentUs = 1_000;

/** L4, L6: where no source is known to ask, a client has its 404 within the bound of a lookup; where nothing goes wrong, within what a miss may cost. */
export const missesAreFast: OracleFactory = ({ scenario, violate, world }) => {
  const { limits, nodes } = world;
  const open = new Map<string, { readonly start: PullEvent; steps: number }>();
  const isWell = scenario.faults.length === 0 && (scenario.buggifyIn64 ?? 0) === 0;
  return {
    onEvent: (event) => {
      if (event.type !== 'mirror-pull') return;
      const { event: step, node } = event;
      const key = `${node} ${step.pullId}`;
      if (step.type === 'start' && !step.mirrored) open.set(key, { start: step, steps: 0 });
      const pull = open.get(key);
      if (pull === undefined) return;
      if (step.type === 'attempt' || step.type === 'suspect') pull.steps += 1;
      if (step.type !== 'end') return;
      open.delete(key);
      if (step.status !== 404 || pull.steps > 0) return;
      const boundUs = (isWell ? limits.lookupMissTimeoutUs : limits.lookupTimeoutUs) + momentUs;
      const hasStoodStill = nodes.some((each) => each.name === node && each.hasStoodStill);
      if (step.tookUs > boundUs && !hasStoodStill)
        violate(`${node} took ${step.tookUs} us to find out that there is nobody to ask, at most ${boundUs}`);
    },
  };
};
