import { epochUs } from '../node/sim-clock.ts';
import { nodeNameOf } from '../scenario/node-names.ts';
import type { OracleFactory } from './oracle.ts';
import type { SeenExchange } from './seen.ts';

/** An age travels in seconds, and answers take their time. */
const toleranceUs = 1_500_000;
/** What was resolved so long ago is known to those who keep its records. */
const knownUs = 5_000_000;

/**
 * S11: a tag is answered with what some node resolved it to no longer ago than the policy allows. Among peers that disagree the freshest one's word counts, as long as
 * nothing hides it.
 */
export const tagsAreFresh: OracleFactory = ({ scenario, seen, violate, world }) => {
  const maxAgeUs = scenario.mirror?.tagMaxAgeUs ?? Infinity;
  const isSkewed = scenario.faults.some(({ what }) => what.kind === 'wall');
  const isHidden = scenario.faults.some(({ what }) => what.kind !== 'http' || what.fault.kind === 'other-digest');
  // Who did not answer lately is asked last, however fresh its tag is.
  const isStruck = (name: string, nowUs: number): boolean =>
    scenario.faults.some(
      ({ atUs, target, untilUs = Infinity }) =>
        name === nodeNameOf(scenario, target) && atUs <= nowUs && nowUs < untilUs + world.limits.demotionUs,
    );
  const judge = ({ to }: SeenExchange, reference: string, digest: string, wallUs: number): void => {
    const known = world.nodes.flatMap(({ host, store }) => {
      const tag = store.tagOf(reference);
      return tag === undefined ? [] : [{ ...tag, host, ageUs: wallUs - tag.resolvedAtUs }];
    });
    const isChanging = known.some(({ ageUs }) => ageUs < toleranceUs);
    if (isChanging || scenario.faults.some(({ what }) => what.kind === 'http' && what.fault.kind === 'other-digest'))
      return;
    const { name } = to.host;
    const isTrue = known.some((tag) => tag.digest === digest && tag.ageUs <= maxAgeUs + toleranceUs);
    if (!isTrue) violate(`${name} answers ${reference} with ${digest}, which nobody has resolved it to lately`);
    const isOwn = known.some(({ host }) => host === to.host);
    const freshest = known
      .filter(({ ageUs, host }) => ageUs >= knownUs && !isStruck(host.name, wallUs - epochUs))
      .sort((a, b) => a.ageUs - b.ageUs)[0];
    if (isHidden || isOwn || freshest === undefined) return;
    // What is so new that not everybody needs to know it may be answered all the same.
    if (known.some((tag) => tag.digest === digest && tag.ageUs <= freshest.ageUs)) return;
    violate(`${name} answers ${reference} with ${digest}, and ${freshest.host.name} has a newer one`);
  };
  return {
    on: {
      head: ({ atUs, headers, status }) => {
        const { exchange } = seen;
        const digest = headers['docker-content-digest'];
        if (status !== 200 || exchange?.to.role !== 'mirror' || isSkewed || digest === undefined) return;
        const reference = referenceOf(exchange.target);
        if (reference !== undefined) judge(exchange, reference, digest, epochUs + atUs);
      },
    },
  };
};

/** `registry/repository:tag` of a request for a tag. */
function referenceOf(target: string): string | undefined {
  const [, repository, tag, registry] = /^\/v2\/(.+)\/manifests\/([^:?]+)\?ns=(.+)$/.exec(target) ?? [];
  return tag === undefined ? undefined : `${registry}/${repository}:${tag}`;
}
