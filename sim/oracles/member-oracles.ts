import { faultTable } from '../faults/fault-table.ts';
import type { Fault, FaultKind } from '../faults/fault.ts';
import type { Party } from '../network/party.ts';
import { isBorne } from './borne.ts';
import { nodeNameOf } from '../scenario/node-names.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { OracleFactory } from './oracle.ts';

const isTarget = (scenario: Scenario, { target }: Fault, { host }: Party): boolean =>
  host.name === nodeNameOf(scenario, target);

/** Who starts again says what it has, and so what it has no longer. */
const comesBackEmpty = ({ untilUs, what }: Fault): boolean => what.kind === 'crash-empty' && untilUs !== undefined;

/** While it lasts, and for a while after it, nobody can be told anything. */
const isSilence = (fault: Fault): boolean =>
  faultTable[fault.what.kind].hides && !comesBackEmpty(fault) && !isBorne(fault);

/** S12: nothing absent is advertised for longer than the reconcile period: who lost it long ago is not asked for it. */
export const absentIsNotNamed: OracleFactory = ({ scenario, seen, violate, world }) => {
  const { reconcileIntervalUs, memberRetryUs } = world.limits;
  const periodUs = reconcileIntervalUs + memberRetryUs;
  const isJudged = !scenario.faults.some(isSilence);
  const lostUs = new Map<string, number>();
  for (const { name, store } of world.nodes)
    store.watchLosses((digest) => lostUs.set(`${name} ${digest}`, world.kernel.nowUs()));
  // A body goes on with those that it began with: what they had then counts.
  const beganUs = new Map<string, number>();
  return {
    on: {
      'mirror-pull': ({ event, node }) => {
        if (event.type === 'attempt' && seen.pull !== undefined) beganUs.set(node, seen.pull.start.atUs);
      },
      request: ({ atUs, from }) => {
        const { content, node } = seen.exchange ?? {};
        if (!isJudged || from.role !== 'mirror' || content === undefined || node === undefined) return;
        if (node.store.has(content.digest)) return;
        const askedUs = beganUs.get(from.host.name) ?? atUs;
        const goneUs = askedUs - (lostUs.get(`${node.name} ${content.digest}`) ?? 0);
        if (goneUs > periodUs)
          violate(`${from.host.name} asks ${node.name} for ${content.digest}, which it has not had for ${goneUs} us`);
      },
    },
  };
};

/** Records expire: who has been gone for longer than they live is asked for nothing. */
export const theDeadAreForgotten: OracleFactory = ({ scenario, violate, world }) => {
  const { advertiseRetryUs, recordTtlUs } = world.limits;
  return {
    on: {
      request: ({ atUs, from, to }) => {
        const goneUs = from.role === 'mirror' ? goneSince(scenario, to, atUs) : undefined;
        if (goneUs !== undefined && atUs - goneUs > recordTtlUs + advertiseRetryUs)
          violate(`${from.host.name} asks ${to.host.name}, which has been gone for ${atUs - goneUs} us`);
      },
    },
  };
};

/** A mirror that stands still or takes its leave is not gone yet. */
const isGoneBy = ({ what: { kind } }: Fault): boolean =>
  faultTable[kind].isAway && kind !== 'pause' && kind !== 'pause-node' && kind !== 'drain';

/** Another fault that ends meanwhile starts what it had let go. */
function isStartedBetween(scenario: Scenario, party: Party, sinceUs: number, untilUs: number): boolean {
  return scenario.faults.some(
    (fault) =>
      isTarget(scenario, fault, party) &&
      faultTable[fault.what.kind].isAway &&
      fault.untilUs !== undefined &&
      fault.untilUs > sinceUs &&
      fault.untilUs <= untilUs,
  );
}

/** Since when its mirror is gone or out of reach; undefined while it is there. */
function goneSince(scenario: Scenario, party: Party, atUs: number): number | undefined {
  const gone = scenario.faults.filter(
    (fault) =>
      isTarget(scenario, fault, party) &&
      isGoneBy(fault) &&
      fault.atUs <= atUs &&
      (fault.untilUs ?? Infinity) > atUs &&
      !isStartedBetween(scenario, party, fault.atUs, atUs),
  );
  return gone.length === 0 ? undefined : Math.min(...gone.map((fault) => fault.atUs));
}

/** S5: no more blob bodies are given to mirrors at once than there are upload slots. */
export const uploadsAreBounded: OracleFactory = ({ seen, violate, world }) => {
  const uploads = new Map<Party, Set<number>>();
  const { uploadsMax } = world.limits;
  return {
    on: {
      head: ({ status }) => {
        const { from, id, method, target, to } = seen.exchange ?? {};
        if (status >= 300 || method !== 'GET' || from?.role !== 'mirror' || to?.role !== 'mirror') return;
        if (id === undefined || target?.includes('/blobs/') !== true) return;
        const running = uploads.get(to) ?? new Set<number>();
        uploads.set(to, running.add(id));
        if (running.size > uploadsMax)
          violate(`${to.host.name} gives ${running.size} bodies at once, of ${uploadsMax}`);
      },
      'exchange-end': ({ exchange: id }) => {
        if (seen.exchange !== undefined) uploads.get(seen.exchange.to)?.delete(id);
      },
    },
  };
};

/** So long after an exchange its end has reached whoever gave the body, and its slot is free. */
const slotFreeUs = 250_000;

/** L11's other half: a slot that is free is given. Whoever has fewer bodies under way than it may turns no mirror away. */
export const freeSlotsAreGiven: OracleFactory = ({ scenario, seen, violate, world }) => {
  // Of other faults a mirror may not hear in time that a body was given up; and leaving ones turn everybody away.
  const isJudged = scenario.faults.every(
    ({ target, what: { kind } }) => target === 'upstream' || !faultTable[kind].hides,
  );
  const isStruck = (name: string): boolean =>
    scenario.faults.some(({ target, what }) => what.kind === 'http' && name === nodeNameOf(scenario, target));
  const slots = new Map<Party, { readonly open: Set<number>; endedUs: readonly number[] }>();
  const { uploadsMax } = world.limits;
  const slotsOf = () => {
    const { from, target, to } = seen.exchange ?? {};
    if (!isJudged || to === undefined || from?.role !== 'mirror' || target?.includes('/blobs/') !== true)
      return undefined;
    const known = slots.get(to) ?? { open: new Set<number>(), endedUs: [] };
    slots.set(to, known);
    return known;
  };
  return {
    on: {
      request: ({ exchange }) => {
        slotsOf()?.open.add(exchange);
      },
      head: ({ atUs, status }) => {
        const { name = '' } = seen.exchange?.to.host ?? {};
        const known = status === 503 && !isStruck(name) ? slotsOf() : undefined;
        if (known === undefined) return;
        const others = known.open.size - 1 + known.endedUs.filter((endUs) => endUs + slotFreeUs > atUs).length;
        if (others < uploadsMax) violate(`${name} turns a mirror away, and gives ${others} bodies of ${uploadsMax}`);
      },
      'exchange-end': ({ atUs, exchange }) => {
        const known = slotsOf();
        if (known?.open.delete(exchange) !== true) return;
        known.endedUs = [...known.endedUs.filter((endUs) => endUs + slotFreeUs > atUs), atUs];
      },
    },
  };
};

/** What stops or misleads a node itself, and touches nothing between it and others. */
const ownKinds: ReadonlySet<FaultKind['kind']> = new Set(['pause', 'pause-node', 'wall', 'drift']);

/** A time-out that comes so late tells of whoever counts it. */
const lateUs = 100_000;

/** Who stood still itself accuses nobody: to whom nothing happens, and waits with the bytes, is neither stalled nor late. */
export const standingStillBlamesNobody: OracleFactory = ({ scenario, violate, world }) => {
  const faultsOf = (name: string): readonly Fault[] =>
    scenario.faults.filter(({ target }) => name === nodeNameOf(scenario, target));
  const hasOnlyStood = (name: string): boolean => {
    const own = faultsOf(name);
    return own.some(({ what }) => what.kind.startsWith('pause')) && own.every(({ what }) => ownKinds.has(what.kind));
  };
  const { peerHeadTimeoutUs, stallTimeoutUs } = world.limits;
  const accusers = new Set(world.nodes.map(({ name }) => name).filter(hasOnlyStood));
  return {
    on: {
      'mirror-pull': ({ event: step, node }) => {
        const isLate =
          (step.type === 'stall' && step.waitedUs > stallTimeoutUs + lateUs) ||
          (step.type === 'attempt-failed' &&
            step.reason === 'HEAD_TIMEOUT' &&
            step.tookUs > peerHeadTimeoutUs + lateUs);
        if (!isLate) return;
        const accused = world.directory.find(step.source)?.party.host.name ?? step.source;
        if (accusers.has(node) && faultsOf(accused).length === 0)
          violate(`${node} says ${step.type} of ${accused}, and stood still itself`);
      },
    },
  };
};

/** A slow reader is not a slow source: where clients take their time, and nothing goes wrong, nobody is said to have stalled. */
export const slowReadersBlameNobody: OracleFactory = ({ scenario, violate }) => {
  const isJudged = scenario.faults.length === 0 && scenario.asks?.some((ask) => ask.bytesPerSecond !== undefined);
  return {
    on: {
      'mirror-pull': ({ event, node }) => {
        if (isJudged !== true || event.type !== 'stall') return;
        violate(`${node} says that ${event.source} stalled, and only the client took its time`);
      },
    },
  };
};
