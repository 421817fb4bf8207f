import { isFiltered } from '../reference/mirror-model.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { OracleFactory } from './oracle.ts';
import { modelRequest } from './answer-oracles.ts';

/** S13: a record speaks for its sender only, so nobody is asked for what it has never had, unless somebody answers lookups with lies. */
export const onlyHoldersAreAsked: OracleFactory = ({ scenario, seen, violate }) => {
  if (areAnswersForged(scenario)) return {};
  return {
    on: {
      request: ({ from }) => {
        const { content, node } = seen.exchange ?? {};
        if (from.role !== 'mirror' || content === undefined || node?.store.hadOnce(content.digest) !== false) return;
        violate(`${from.host.name} asks ${node.name} for ${content.digest}, which it has never had`);
      },
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
    on: {
      request: ({ from, request: text, to }) => {
        const request = from.role === 'mirror' ? modelRequest(text, from) : undefined;
        if (request !== undefined && isFiltered(request, mirror))
          violate(`${from.host.name} asks ${to.host.name} for ${text.target}, which is filtered`);
      },
    },
  };
};
