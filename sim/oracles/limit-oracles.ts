import type { PullEvent } from '../../core/index.ts';
import type { Party } from '../network/party.ts';
import type { SimNode } from '../run/world.ts';
import { isOwnMirrors, SeenExchanges } from './exchanges.ts';
import type { OracleFactory } from './oracle.ts';

/** One window that is read, the next one that is asked for, each with its hedge, and a source that is asked to check itself. */
const exchangesPerRequest = 2 * 2 + 1;

/** S5: a mirror has no more exchanges with others under way than its clients' requests are worth. */
export const exchangesAreBounded: OracleFactory = ({ violate, world }) => {
  const exchanges = new SeenExchanges(world);
  const asked = new Map<Party, Set<number>>();
  const asking = new Map<Party, Set<number>>();
  const change = (counts: Map<Party, Set<number>>, party: Party, id: number, isOver: boolean): number => {
    const open = counts.get(party) ?? new Set<number>();
    counts.set(party, open);
    if (isOver) open.delete(id);
    else open.add(id);
    return open.size;
  };
  return {
    onEvent: (event) => {
      const seen = exchanges.update(event);
      if (seen === undefined || (event.type !== 'request' && event.type !== 'exchange-end')) return;
      const isOver = event.type === 'exchange-end';
      if (isOwnMirrors(seen)) change(asked, seen.to, seen.id, isOver);
      if (seen.from.role !== 'mirror') return;
      const count = change(asking, seen.from, seen.id, isOver);
      const requests = asked.get(seen.from)?.size ?? 0;
      // What a client has left is let go of in the same moment, after its own end was told.
      if (!isOver && count > exchangesPerRequest * (requests + 1))
        violate(`${seen.from.host.name} has ${count} exchanges under way, for ${requests} requests`);
    },
  };
};

/** What a mirror plans by itself: its rounds of advertising, of members and of old records, and what is told now. */
const ownTimers = 24;
/** A deadline for each exchange, a stall, a hedge, a lookup and its miss. */
const timersPerRequest = 6;

/** S5: the timers of a mirror are bounded by what it is asked and whom it tells. */
export const timersAreBounded: OracleFactory = ({ violate, world }) => {
  const open = new Map<Party, number>();
  const exchanges = new SeenExchanges(world);
  const nodeOf = new Map<string, SimNode>(world.nodes.map((node) => [node.name, node]));
  const { sendsAtOnceMax } = world.limits;
  return {
    onEvent: (event) => {
      const seen = exchanges.update(event);
      if (seen?.to.role === 'mirror' && (event.type === 'request' || event.type === 'exchange-end'))
        open.set(seen.to, (open.get(seen.to) ?? 0) + (event.type === 'request' ? 1 : -1));
      if (event.type !== 'mirror-pull') return;
      const party = nodeOf.get(event.node)?.mirror?.party;
      if (party === undefined) return;
      const boundTimers = ownTimers + sendsAtOnceMax + timersPerRequest * ((open.get(party) ?? 0) + 1);
      if (party.life.pending > boundTimers)
        violate(`${event.node} has ${party.life.pending} timers, at most ${boundTimers}`);
    },
  };
};

/** What of a pull's story means that bytes were asked for in vain, or twice. */
function isWaste(step: PullEvent): boolean {
  switch (step.type) {
    case 'attempt-failed':
    case 'stall':
    case 'switch':
    case 'resume':
    case 'suspect':
      return true;
    case 'attempt':
      return step.hedge;
    case 'end':
      return step.reason !== 'complete';
    default:
      return false;
  }
}

/** Windows that are under way at once. */
const windowsAtOnce = 2;

/** S7: peers send no more than was asked for, and a window for each failure, hedge and hang-up. */
export const peerBytesAreBounded: OracleFactory = ({ violate, world }) => {
  const exchanges = new SeenExchanges(world);
  const ledgers = new Map<string, { came: number; asked: number; waste: number }>();
  const ledgerOf = (name: string, digest: string) => {
    const key = `${name} ${digest}`;
    const ledger = ledgers.get(key) ?? { came: 0, asked: 0, waste: 0 };
    ledgers.set(key, ledger);
    return ledger;
  };
  const wasteBytes = windowsAtOnce * world.limits.windowBytes;
  const keys = new Map<string, string>();
  const noteWaste = (node: string, step: PullEvent): void => {
    const id = `${node} ${step.pullId}`;
    if (step.type === 'start') keys.set(id, step.key);
    const known = keys.get(id);
    if (known !== undefined && isWaste(step)) ledgerOf(node, known).waste += 1;
    if (step.type === 'end') keys.delete(id);
  };
  return {
    onEvent: (event) => {
      const seen = exchanges.update(event);
      const digest = seen?.content?.digest;
      if (seen !== undefined && digest !== undefined) {
        const isPeers = seen.from.role === 'mirror';
        const ledger = ledgerOf(seen.from.host.name, digest);
        if (event.type === 'head' && isOwnMirrors(seen)) ledger.asked += seen.promisedBytes ?? 0;
        if (event.type === 'bytes' && isPeers) ledger.came += event.bytes;
        const allowed = ledger.asked + ledger.waste * wasteBytes + wasteBytes;
        if (event.type === 'bytes' && isPeers && ledger.came > allowed)
          violate(`${seen.from.host.name} was sent ${ledger.came} bytes of ${digest}, and asked for ${ledger.asked}`);
      }
      if (event.type === 'mirror-pull') noteWaste(event.node, event.event);
    },
  };
};
