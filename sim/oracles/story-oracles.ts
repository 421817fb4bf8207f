import type { PullEvent } from '../../core/index.ts';
import type { Life } from '../kernel/life.ts';
import type { MirrorSpec } from '../scenario/scenario.ts';
import type { OracleFactory } from './oracle.ts';

type Start = PullEvent & { readonly type: 'start' };

/** S10: at rest every request has been told to its end, but for those of programs that have gone or stand still, and those that are still asked. */
export const storiesEnd: OracleFactory = ({ violate, world }) => {
  const open = new Map<string, { readonly start: Start; readonly life: Life | undefined; readonly node: string }>();
  const lifeOf = (name: string): Life | undefined => world.nodes.find((node) => node.name === name)?.mirror?.party.life;
  return {
    onEvent: (event) => {
      if (event.type !== 'mirror-pull') return;
      const { event: step, node } = event;
      const key = `${node} ${step.pullId}`;
      if (step.type === 'start') open.set(key, { start: step, life: lifeOf(node), node });
      if (step.type === 'end') open.delete(key);
    },
    atEnd: () => {
      for (const { life, node, start } of open.values()) {
        if (life === undefined || life.isOver || life.isPaused) continue;
        const isAsked = [...world.wire.open()].some(({ to }) => to.life === life);
        if (!isAsked) violate(`${node} still works on ${start.method} ${start.key}, which nobody waits for any more`);
      }
    },
  };
};

/** S3: what is filtered is answered 404, and nothing is looked up, asked or read for it. */
export const filteredIsLeftAlone: OracleFactory = ({ scenario, violate }) => {
  const filtered = new Map<string, Start>();
  const { mirror } = scenario;
  if (mirror === undefined) return {};
  return {
    onEvent: (event) => {
      if (event.type !== 'mirror-pull') return;
      const { event: step, node } = event;
      const key = `${node} ${step.pullId}`;
      if (step.type === 'start' && isFiltered(step, mirror)) filtered.set(key, step);
      const start = filtered.get(key);
      if (start === undefined || step.type === 'start') return;
      if (step.type !== 'end') violate(`${node} does something for ${start.key}, which is filtered: ${step.type}`);
      else if (step.reason !== 'filtered' && step.reason !== 'rejected')
        violate(`${node} ends ${start.key}, which is filtered, as ${step.reason}`);
      if (step.type === 'end') filtered.delete(key);
    },
  };
};

/** By this scenario's own words; patterns are so simple that JavaScript reads them as RE2 does. */
function isFiltered({ key, registry = '', repository, resource }: Start, mirror: MirrorSpec): boolean {
  const { blobsOnlyRegistries = [], mirroredRegistries = [], registryFilters = [] } = mirror;
  if (mirroredRegistries.length > 0 && !mirroredRegistries.includes(registry)) return true;
  if (resource === 'manifest' && blobsOnlyRegistries.includes(registry)) return true;
  const name = key.startsWith('sha256:') ? `${registry}/${repository}` : key;
  return registryFilters.some((pattern) => new RegExp(pattern).test(name));
}
