import { faultTable } from '../faults/fault-table.ts';
import type { Fault } from '../faults/fault.ts';
import type { Party } from '../network/party.ts';
import { nodeNameOf } from '../scenario/node-names.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { SeenExchanges } from './exchanges.ts';
import type { OracleFactory } from './oracle.ts';

const isTarget = (scenario: Scenario, { target }: Fault, { host }: Party): boolean =>
  host.name === nodeNameOf(scenario, target);

/** While it lasts, and for a while after it, nobody can be told anything. */
const isSilence = ({ what }: Fault): boolean => faultTable[what.kind].hides && what.kind !== 'crash-empty';

/** S12: nothing absent is advertised for longer than the reconcile period: who lost it long ago is not asked for it. */
export const absentIsNotNamed: OracleFactory = ({ scenario, violate, world }) => {
  const { reconcileIntervalUs, memberRetryUs } = world.limits;
  const periodUs = reconcileIntervalUs + memberRetryUs;
  const exchanges = new SeenExchanges(world);
  const isJudged = !scenario.faults.some(isSilence);
  const lostUs = new Map<string, number>();
  for (const { name, store } of world.nodes)
    store.watchLosses((digest) => lostUs.set(`${name} ${digest}`, world.kernel.nowUs()));
  return {
    onEvent: (event) => {
      const seen = exchanges.update(event);
      if (event.type !== 'request' || seen?.from.role !== 'mirror' || seen.content === undefined) return;
      const { content, from, to } = seen;
      const node = world.nodes.find(({ host }) => host === to.host);
      if (!isJudged || node === undefined || node.store.has(content.digest)) return;
      const goneUs = event.atUs - (lostUs.get(`${node.name} ${content.digest}`) ?? 0);
      if (goneUs > periodUs)
        violate(`${from.host.name} asks ${node.name} for ${content.digest}, which it has not had for ${goneUs} us`);
    },
  };
};

/** Records expire: who has been gone for longer than they live is asked for nothing. */
export const theDeadAreForgotten: OracleFactory = ({ scenario, violate, world }) => {
  const { advertiseRetryUs, recordTtlUs } = world.limits;
  return {
    onEvent: (event) => {
      if (event.type !== 'request' || event.from.role !== 'mirror') return;
      const { atUs, from, to } = event;
      const goneUs = goneSince(scenario, to, atUs);
      if (goneUs !== undefined && atUs - goneUs > recordTtlUs + advertiseRetryUs)
        violate(`${from.host.name} asks ${to.host.name}, which has been gone for ${atUs - goneUs} us`);
    },
  };
};

/** A mirror that stands still or takes its leave is not gone yet. */
const isGoneBy = ({ what: { kind } }: Fault): boolean =>
  faultTable[kind].isAway && kind !== 'pause' && kind !== 'pause-node' && kind !== 'drain';

/** Since when its mirror is gone or out of reach; undefined while it is there. */
function goneSince(scenario: Scenario, party: Party, atUs: number): number | undefined {
  const gone = scenario.faults.filter(
    (fault) =>
      isTarget(scenario, fault, party) && isGoneBy(fault) && fault.atUs <= atUs && (fault.untilUs ?? Infinity) > atUs,
  );
  return gone.length === 0 ? undefined : Math.min(...gone.map((fault) => fault.atUs));
}

/** S5: no more blob bodies are given to mirrors at once than there are upload slots. */
export const uploadsAreBounded: OracleFactory = ({ violate, world }) => {
  const exchanges = new SeenExchanges(world);
  const uploads = new Map<Party, Set<number>>();
  const { uploadsMax } = world.limits;
  return {
    onEvent: (event) => {
      const seen = exchanges.update(event);
      if (seen === undefined || seen.from.role !== 'mirror' || seen.to.role !== 'mirror') return;
      const running = uploads.get(seen.to) ?? new Set<number>();
      uploads.set(seen.to, running);
      const isUpload = seen.method === 'GET' && /\/blobs\//.test(seen.target);
      if (event.type === 'head' && isUpload && event.status < 300) running.add(seen.id);
      if (event.type === 'exchange-end') running.delete(seen.id);
      if (running.size > uploadsMax)
        violate(`${seen.to.host.name} gives ${running.size} bodies at once, of ${uploadsMax}`);
    },
  };
};

/** A slow reader is not a slow source: where clients take their time, and nothing goes wrong, nobody is said to have stalled. */
export const slowReadersBlameNobody: OracleFactory = ({ scenario, violate }) => {
  const isJudged = scenario.faults.length === 0 && scenario.asks?.some((ask) => ask.bytesPerSecond !== undefined);
  return {
    onEvent: (event) => {
      if (isJudged !== true || event.type !== 'mirror-pull' || event.event.type !== 'stall') return;
      violate(`${event.node} says that ${event.event.source} stalled, and only the client took its time`);
    },
  };
};
