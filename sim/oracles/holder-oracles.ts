import { faultTable } from '../faults/fault-table.ts';
import type { Fault } from '../faults/fault.ts';
import type { SimEvent } from '../run/trace.ts';
import type { SimNode } from '../run/world.ts';
import { isOwnMirrors, SeenExchanges } from './exchanges.ts';
import { isTagForged, liarsOf } from './lies.ts';
import { nodeNameOf } from '../scenario/node-names.ts';
import type { OracleContext, OracleFactory } from './oracle.ts';

/** L4, L5: what a node's own store has, its mirror answers: no 404, to nobody. */
export const heldIsServed: OracleFactory = ({ scenario, violate, world }) => {
  const exchanges = new SeenExchanges(world);
  const held = new Set<number>();
  const isTouched = (node: SimNode): boolean =>
    scenario.faults.some(({ target }) => node.name === nodeNameOf(scenario, target));
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

/** Who has had the whole of an image for a while, and nothing is wrong with them: known holders, as long as nothing hides who has what. */
class KnownHolders {
  readonly #context: OracleContext;
  readonly #completeSinceUs = new Map<string, number>();
  readonly #isJudged: boolean;

  constructor(context: OracleContext) {
    this.#context = context;
    const { scenario } = context;
    // A holder that gives as many bodies as it may turns others away, and those go upstream.
    const isUsual = scenario.mirror === undefined && scenario.limits === undefined;
    this.#isJudged = liarsOf(scenario).size === 0 && !isTagForged(scenario) && isUsual;
  }

  /** To be told of every event. */
  update(event: SimEvent): void {
    if (event.type !== 'pull-end' || event.outcome !== 'ok') return;
    const image = this.#context.scenario.workload[event.pull]?.image;
    if (image !== undefined) this.#completeSinceUs.set(`${event.node} ${image}`, event.atUs);
  }

  of(image: string, puller: string, atUs: number): readonly string[] {
    const { scenario, world } = this.#context;
    const faults = this.#lasting(atUs).filter(({ target }) => target !== 'upstream');
    const isHidden = faults.some(
      ({ target, what }) => faultTable[what.kind].hides || puller === nodeNameOf(scenario, target),
    );
    if (!this.#isJudged || isHidden) return [];
    return world.nodes
      .map(({ name }) => name)
      .filter((name) => name !== puller && faults.every(({ target }) => name !== nodeNameOf(scenario, target)))
      .filter((name) => (this.#completeSinceUs.get(`${name} ${image}`) ?? Infinity) + knownUs <= atUs);
  }

  /** Faults that are not over, or from which nobody has recovered yet. */
  #lasting(atUs: number): readonly Fault[] {
    const { scenario, world } = this.#context;
    const { dnsIntervalUs, memberRetryUs, warmingMaxUs } = world.limits;
    const settleUs = warmingMaxUs + memberRetryUs + 2 * dnsIntervalUs;
    return scenario.faults.filter(
      ({ untilUs, what }) =>
        untilUs === undefined || untilUs + settleUs > atUs || faultTable[what.kind].loses !== undefined,
    );
  }
}

/** So long before a pull its holders had all of the image, and are known. */
const knownUs = 5_000_000;

/**
 * S8's other half: without the upstream, a pull of what honest holders have had for a while succeeds, as long as nothing hides them. What was hidden is found again
 * once members were told anew.
 */
export const peersSuffice: OracleFactory = (context) => {
  const holders = new KnownHolders(context);
  const awaited = new Map<number, string>();
  return {
    onEvent: (event) => {
      if (event.type === 'pull-begin') {
        const [holder] = holders.of(event.image, event.node, event.atUs);
        if (holder !== undefined) awaited.set(event.pull, holder);
      }
      if (event.type !== 'pull-end') return;
      const holder = awaited.get(event.pull);
      if (event.outcome !== 'ok' && holder !== undefined)
        context.violate(`the pull of ${event.node} failed (${event.outcome}), and ${holder} has all of it`);
      holders.update(event);
    },
  };
};

/** L3: a body is not cut while an honest holder, known for a while, could go on with it. */
export const bodiesGoOn: OracleFactory = (context) => {
  const { violate, world } = context;
  const holders = new KnownHolders(context);
  const exchanges = new SeenExchanges(world);
  return {
    onEvent: (event) => {
      holders.update(event);
      const seen = exchanges.update(event);
      if (event.type !== 'exchange-end' || event.how !== 'fin' || seen === undefined || !isOwnMirrors(seen)) return;
      const { beganUs, bytes, content, target, to } = seen;
      const image = [...world.images.values()].find(({ layers }) => layers.some((layer) => layer === content));
      const [holder] = image === undefined ? [] : holders.of(image.name, to.host.name, beganUs);
      if (holder !== undefined)
        violate(`${to.host.name} cuts ${target} after ${bytes} bytes, and ${holder} has all of it`);
    },
  };
};
