import type { PullEvent } from '../../core/index.ts';
import type { Party } from '../network/party.ts';
import type { OracleFactory } from './oracle.ts';
import type { SeenExchange } from './seen.ts';

/** One window that is read, the next one that is asked for, each with its hedge, and a source that is asked to check itself. */
const exchangesPerRequest = 2 * 2 + 1;

/** S5: a mirror has no more exchanges with others under way than its clients' requests are worth. */
export const exchangesAreBounded: OracleFactory = ({ seen, violate }) => {
  const asked = new Map<Party, Set<number>>();
  const asking = new Map<Party, Set<number>>();
  const change = (counts: Map<Party, Set<number>>, party: Party, id: number, isOver: boolean): number => {
    const open = counts.get(party) ?? new Set<number>();
    counts.set(party, open);
    if (isOver) open.delete(id);
    else open.add(id);
    return open.size;
  };
  const follow = ({ from, id, isOwnMirrors, to }: SeenExchange, isOver: boolean): void => {
    if (isOwnMirrors) change(asked, to, id, isOver);
    if (from.role !== 'mirror') return;
    const count = change(asking, from, id, isOver);
    const requests = asked.get(from)?.size ?? 0;
    // What a client has left is let go of in the same moment, after its own end was told.
    if (!isOver && count > exchangesPerRequest * (requests + 1))
      violate(`${from.host.name} has ${count} exchanges under way, for ${requests} requests`);
  };
  return {
    on: {
      request: () => {
        if (seen.exchange !== undefined) follow(seen.exchange, false);
      },
      'exchange-end': () => {
        if (seen.exchange !== undefined) follow(seen.exchange, true);
      },
    },
  };
};

/** What a mirror plans by itself: its rounds of advertising, of members and of old records, and what is told now. */
const ownTimers = 24;
/** A deadline for each exchange, a stall, a hedge, a lookup and its miss. */
const timersPerRequest = 6;

/** S5: the timers of a mirror are bounded by what it is asked and whom it tells. */
export const timersAreBounded: OracleFactory = ({ seen, violate, world }) => {
  const open = new Map<Party, number>();
  const count = (exchange: SeenExchange | undefined, change: number): void => {
    if (exchange?.to.role === 'mirror') open.set(exchange.to, (open.get(exchange.to) ?? 0) + change);
  };
  const { sendsAtOnceMax } = world.limits;
  return {
    on: {
      request: () => {
        count(seen.exchange, 1);
      },
      'exchange-end': () => {
        count(seen.exchange, -1);
      },
      'mirror-pull': ({ node }) => {
        const party = seen.node(node)?.mirror?.party;
        if (party === undefined) return;
        const boundTimers = ownTimers + sendsAtOnceMax + timersPerRequest * ((open.get(party) ?? 0) + 1);
        if (party.life.pending > boundTimers)
          violate(`${node} has ${party.life.pending} timers, at most ${boundTimers}`);
      },
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

/** Of one content at one node. */
interface Ledger {
  came: number;
  asked: number;
  waste: number;
}

/** S7: peers send no more than was asked for, and a window for each failure, hedge and hang-up. */
export const peerBytesAreBounded: OracleFactory = ({ seen, violate, world }) => {
  const ledgers = new Map<string, Ledger>();
  /** Of the exchanges of mirrors that are open. */
  const open = new Map<number, Ledger>();
  const ledgerOf = (name: string, digest: string): Ledger => {
    const key = `${name} ${digest}`;
    const ledger = ledgers.get(key) ?? { came: 0, asked: 0, waste: 0 };
    ledgers.set(key, ledger);
    return ledger;
  };
  const wasteBytes = windowsAtOnce * world.limits.windowBytes;
  return {
    on: {
      request: ({ exchange: id, from }) => {
        const { content } = seen.exchange ?? {};
        if (content !== undefined && from.role === 'mirror') open.set(id, ledgerOf(from.host.name, content.digest));
      },
      head: () => {
        const { content, from, isOwnMirrors, promisedBytes } = seen.exchange ?? {};
        if (from === undefined || content === undefined || isOwnMirrors !== true) return;
        ledgerOf(from.host.name, content.digest).asked += promisedBytes ?? 0;
      },
      bytes: ({ bytes, exchange: id }) => {
        const ledger = open.get(id);
        if (ledger === undefined) return;
        ledger.came += bytes;
        if (ledger.came <= ledger.asked + ledger.waste * wasteBytes + wasteBytes) return;
        const { content, from } = seen.exchange ?? {};
        violate(
          `${from?.host.name} was sent ${ledger.came} bytes of ${content?.digest}, and asked for ${ledger.asked}`,
        );
      },
      'exchange-end': ({ exchange: id }) => {
        open.delete(id);
      },
      'mirror-pull': ({ event, node }) => {
        if (seen.pull !== undefined && isWaste(event)) ledgerOf(node, seen.pull.start.key).waste += 1;
      },
    },
  };
};
