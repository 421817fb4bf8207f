import type { Fault } from '../faults/fault.ts';
import type { SimNode } from '../run/world.ts';
import { SeenExchanges } from './exchanges.ts';
import { liarsOf } from './lies.ts';
import type { OracleFactory } from './oracle.ts';

/** L4, L5: what a node's own store has, its mirror answers: no 404, to nobody. */
export const heldIsServed: OracleFactory = ({ scenario, violate, world }) => {
  const exchanges = new SeenExchanges(world);
  const held = new Set<number>();
  const isTouched = (node: SimNode): boolean => scenario.faults.some(({ target }) => node.name === `n${target}`);
  const isJudged = scenario.mirror === undefined;
  return {
    onEvent: (event) => {
      if (!isJudged || (event.type !== 'request' && event.type !== 'head' && event.type !== 'exchange-end')) return;
      const seen = exchanges.update(event);
      if (seen?.to.role !== 'mirror' || seen.content === undefined) return;
      const { content, id, method, target, to } = seen;
      const node = world.nodes.find(({ host }) => host === to.host);
      const isHeld = node?.store.has(content.digest) === true && !isTouched(node);
      if (event.type === 'request' && isHeld) held.add(id);
      if (event.type === 'head' && event.status === 404 && isHeld && held.has(id))
        violate(`${node.name} has ${content.digest} and answers ${event.status} to ${method} ${target}`);
      if (event.type === 'exchange-end') held.delete(id);
    },
  };
};

/** Faults that may hide for a while who has what. */
const routingKinds: ReadonlySet<Fault['what']['kind']> = new Set([
  'crash',
  'crash-empty',
  'drain',
  'pause',
  'unplug',
  'mute-records',
]);

/** So long before a pull its holders had all of the image, and are known. */
const knownUs = 5_000_000;

/**
 * S8's other half: without the upstream, a pull of what honest holders have had for a while succeeds, as long as nothing hides them. What was hidden is found again
 * once members were told anew.
 */
export const peersSuffice: OracleFactory = ({ scenario, violate, world }) => {
  const settleUs = world.limits.warmingMaxUs + world.limits.memberRetryUs;
  const completeSinceUs = new Map<string, number>();
  const awaited = new Map<number, string>();
  const isLying = liarsOf(scenario).size > 0;
  const touching = (atUs: number): readonly Fault[] =>
    scenario.faults.filter(
      (fault) => fault.untilUs === undefined || fault.untilUs + settleUs > atUs || fault.what.kind === 'remove-layers',
    );
  const holdersOf = (image: string, puller: string, atUs: number): readonly string[] => {
    const faults = touching(atUs).filter(({ target }) => target !== 'upstream');
    const isOff = faults.some(({ target, what }) => routingKinds.has(what.kind) || puller === `n${target}`);
    if (isOff || isLying || scenario.mirror !== undefined) return [];
    return world.nodes
      .map(({ name }) => name)
      .filter((name) => name !== puller && faults.every(({ target }) => name !== `n${target}`))
      .filter((name) => (completeSinceUs.get(`${name} ${image}`) ?? Infinity) + knownUs <= atUs);
  };
  return {
    onEvent: (event) => {
      if (event.type === 'pull-begin') {
        const [holder] = holdersOf(event.image, event.node, event.atUs);
        if (holder !== undefined) awaited.set(event.pull, holder);
      }
      if (event.type !== 'pull-end') return;
      const holder = awaited.get(event.pull);
      if (event.outcome !== 'ok' && holder !== undefined)
        violate(`the pull of ${event.node} failed (${event.outcome}), and ${holder} has all of it`);
      const image = scenario.workload[event.pull]?.image;
      if (event.outcome === 'ok' && image !== undefined) completeSinceUs.set(`${event.node} ${image}`, event.atUs);
    },
  };
};
