import type { MirrorSpec } from '../scenario/scenario.ts';
import type { OracleFactory } from './oracle.ts';
import type { SeenPull } from './seen.ts';

/** S10: at rest every request has been told to its end, but for those of programs that have gone or stand still, and those that are still asked. */
export const storiesEnd: OracleFactory = ({ seen, violate, world }) => ({
  atEnd: () => {
    for (const { life, node, start } of seen.openPulls()) {
      if (life === undefined || life.isOver || life.isPaused) continue;
      const isAsked = [...world.wire.open()].some(({ to }) => to.life === life);
      if (!isAsked) violate(`${node} still works on ${start.method} ${start.key}, which nobody waits for any more`);
    }
  },
});

/** S3: what is filtered is answered 404, and nothing is looked up, asked or read for it. */
export const filteredIsLeftAlone: OracleFactory = ({ scenario, seen, violate }) => {
  const filtered = new Set<SeenPull>();
  const { mirror } = scenario;
  if (mirror === undefined) return {};
  return {
    on: {
      'mirror-pull': ({ event: step, node }) => {
        const { pull } = seen;
        if (pull === undefined) return;
        if (step.type === 'start' && isFiltered(pull, mirror)) filtered.add(pull);
        if (step.type === 'start' || !filtered.has(pull)) return;
        const { key } = pull.start;
        if (step.type !== 'end') violate(`${node} does something for ${key}, which is filtered: ${step.type}`);
        else if (step.reason !== 'filtered' && step.reason !== 'rejected')
          violate(`${node} ends ${key}, which is filtered, as ${step.reason}`);
        if (step.type === 'end') filtered.delete(pull);
      },
    },
  };
};

/** By this scenario's own words; patterns are so simple that JavaScript reads them as RE2 does. */
function isFiltered({ start }: SeenPull, mirror: MirrorSpec): boolean {
  const { key, registry = '', repository, resource } = start;
  const { blobsOnlyRegistries = [], mirroredRegistries = [], registryFilters = [] } = mirror;
  if (mirroredRegistries.length > 0 && !mirroredRegistries.includes(registry)) return true;
  if (resource === 'manifest' && blobsOnlyRegistries.includes(registry)) return true;
  const name = key.startsWith('sha256:') ? `${registry}/${repository}` : key;
  return registryFilters.some((pattern) => new RegExp(pattern).test(name));
}
