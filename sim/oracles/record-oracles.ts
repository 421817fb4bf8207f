import { isFiltered } from '../reference/mirror-model.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { SeenExchanges } from './exchanges.ts';
import type { OracleFactory } from './oracle.ts';
import { modelRequest } from './answer-oracles.ts';

/** S13: a record speaks for its sender only, so nobody is asked for what it has never had, unless somebody answers lookups with lies. */
export const onlyHoldersAreAsked: OracleFactory = ({ scenario, violate, world }) => {
  const exchanges = new SeenExchanges(world);
  if (areAnswersForged(scenario)) return {};
  return {
    onEvent: (event) => {
      const seen = exchanges.update(event);
      if (event.type !== 'request' || seen?.from.role !== 'mirror' || seen.content === undefined) return;
      const { content, from, to } = seen;
      const node = world.nodes.find(({ host }) => host === to.host);
      if (node?.store.hadOnce(content.digest) !== false) return;
      violate(`${from.host.name} asks ${node.name} for ${content.digest}, which it has never had`);
    },
  };
};

function areAnswersForged({ faults }: Scenario): boolean {
  return faults.some(({ what }) => String(what.kind) === 'records');
}

/** S3: no mirror asks another one for what is filtered. */
export const filteredIsNotAsked: OracleFactory = ({ scenario, violate }) => {
  const { mirror } = scenario;
  if (mirror === undefined) return {};
  return {
    onEvent: (event) => {
      if (event.type !== 'request' || event.from.role !== 'mirror') return;
      const request = modelRequest(event.request, event.from);
      if (request !== undefined && isFiltered(request, mirror))
        violate(`${event.from.host.name} asks ${event.to.host.name} for ${event.request.target}, which is filtered`);
    },
  };
};
