import { faultTable } from '../faults/fault-table.ts';
import type { Fault, FaultKind } from '../faults/fault.ts';
import type { SimEvent } from '../run/trace.ts';
import type { SimNode } from '../run/world.ts';
import { isBorne, isOfFile } from './borne.ts';
import { isTagForged, liarsOf } from './lies.ts';
import { nodeNameOf } from '../scenario/node-names.ts';
import type { OracleContext, OracleFactory } from './oracle.ts';
import type { SeenExchange } from './seen.ts';

/** L4, L5: what a node's own store has, its mirror answers: no 404, to nobody. */
export const heldIsServed: OracleFactory = ({ scenario, seen, violate }) => {
  const held = new Set<number>();
  const isTouched = (node: SimNode): boolean =>
    scenario.faults.some(({ target }) => node.name === nodeNameOf(scenario, target));
  if (scenario.mirror !== undefined) return {};
  const isHeldNow = ({ content, node, to }: SeenExchange): boolean =>
    to.role === 'mirror' && content !== undefined && node?.store.has(content.digest) === true && !isTouched(node);
  // A mirror is told of what has come a moment later.
  const isSeen = ({ content, node }: SeenExchange): boolean =>
    content !== undefined && node?.store.shows(content.digest) === true;
  return {
    on: {
      request: ({ exchange: id }) => {
        if (seen.exchange !== undefined && isHeldNow(seen.exchange) && isSeen(seen.exchange)) held.add(id);
      },
      head: ({ exchange: id, status }) => {
        const { exchange } = seen;
        if (status !== 404 || exchange === undefined || !held.has(id) || !isHeldNow(exchange)) return;
        const { content, method, node, target } = exchange;
        violate(`${node?.name} has ${content?.digest} and answers ${status} to ${method} ${target}`);
      },
      'exchange-end': ({ exchange: id }) => {
        held.delete(id);
      },
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

  /** To be told of every end of a pull. */
  update({ atUs, node, outcome, pull }: SimEvent & { readonly type: 'pull-end' }): void {
    const image = outcome === 'ok' ? this.#context.scenario.workload[pull]?.image : undefined;
    if (image !== undefined) this.#completeSinceUs.set(`${node} ${image}`, atUs);
  }

  of(image: string, puller: string, atUs: number): readonly string[] {
    const { scenario, world } = this.#context;
    const faults = this.#lasting(atUs).filter(({ target }) => target !== 'upstream');
    const isHidden = faults.some(
      (fault) =>
        (faultTable[fault.what.kind].hides && !isBorne(fault)) ||
        (puller === nodeNameOf(scenario, fault.target) && !isOfFile(fault)),
    );
    if (!this.#isJudged || isHidden) return [];
    return world.nodes
      .map(({ name }) => name)
      .filter((name) => {
        const sinceUs = this.#completeSinceUs.get(`${name} ${image}`) ?? Infinity;
        // What was lost and is pulled again is there.
        const isWell = (fault: Fault): boolean =>
          (isBorne(fault) && !isOfFile(fault)) || (fault.what.kind === 'remove-layers' && fault.atUs < sinceUs);
        const own = faults.filter(({ target }) => name === nodeNameOf(scenario, target));
        return name !== puller && own.every(isWell) && sinceUs + knownUs <= atUs;
      });
  }

  /** Faults that are not over, or from which nobody has recovered yet. */
  #lasting(atUs: number): readonly Fault[] {
    const { scenario, world } = this.#context;
    const { dnsIntervalUs, failureMemoryUs, memberRetryUs, warmingMaxUs } = world.limits;
    const settleUs = ({ kind }: FaultKind): number =>
      faultTable[kind].hides ? warmingMaxUs + memberRetryUs + 2 * dnsIntervalUs : failureMemoryUs + memberRetryUs;
    return scenario.faults.filter(
      ({ untilUs, what }) =>
        untilUs === undefined || untilUs + settleUs(what) > atUs || faultTable[what.kind].loses !== undefined,
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
    on: {
      'pull-begin': ({ atUs, image, node, pull }) => {
        const [holder] = holders.of(image, node, atUs);
        if (holder !== undefined) awaited.set(pull, holder);
      },
      'pull-end': (event) => {
        const holder = awaited.get(event.pull);
        if (event.outcome !== 'ok' && holder !== undefined)
          context.violate(`the pull of ${event.node} failed (${event.outcome}), and ${holder} has all of it`);
        holders.update(event);
      },
    },
  };
};

/** L3: a body is not cut while an honest holder, known for a while, could go on with it. */
export const bodiesGoOn: OracleFactory = (context) => {
  const { seen, violate, world } = context;
  const holders = new KnownHolders(context);
  return {
    on: {
      'pull-end': (event) => {
        holders.update(event);
      },
      'exchange-end': ({ how }) => {
        const { exchange } = seen;
        if (how !== 'fin' || exchange?.isOwnMirrors !== true) return;
        const { beganUs, bytes, content, target, to } = exchange;
        const image = [...world.images.values()].find(({ layers }) => layers.some((layer) => layer === content));
        const [holder] = image === undefined ? [] : holders.of(image.name, to.host.name, beganUs);
        if (holder !== undefined)
          violate(`${to.host.name} cuts ${target} after ${bytes} bytes, and ${holder} has all of it`);
      },
    },
  };
};
