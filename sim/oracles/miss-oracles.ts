import type { OracleFactory } from './oracle.ts';
import type { SeenPull } from './seen.ts';

/** What lies between two events of one node. */
const momentUs = 1_000;

/**
 * L4, L6: where no source is known to ask, a client has its 404 within the bound of a lookup; where nothing goes wrong, within what a miss may cost. In a cluster too
 * large for all to hold connections to all, a question may wait for handshakes (decision 0014).
 */
export const missesAreFast: OracleFactory = ({ scenario, seen, violate, world }) => {
  const { limits, nodes } = world;
  const hadSources = new Set<SeenPull>();
  const isWell =
    scenario.faults.length === 0 && (scenario.buggifyIn64 ?? 0) === 0 && nodes.length <= limits.connectionsMax;
  return {
    on: {
      'mirror-pull': ({ event, node }) => {
        const { pull } = seen;
        if (pull === undefined || pull.start.mirrored) return;
        if (event.type === 'attempt' || event.type === 'suspect') hadSources.add(pull);
        if (event.type !== 'end' || hadSources.delete(pull) || event.status !== 404) return;
        const boundUs = (isWell ? limits.lookupMissTimeoutUs : limits.lookupTimeoutUs) + momentUs;
        if (event.tookUs > boundUs && seen.node(node)?.hasStoodStill !== true)
          violate(`${node} took ${event.tookUs} us to find out that there is nobody to ask, at most ${boundUs}`);
      },
    },
  };
};
