import type { Limits, NodeEvent } from '../../core/index.ts';
import type { TroubleView } from './snapshot.ts';

/** What went wrong outside of pulls: each kind once, with how often and when last. */
export interface Troubles {
  add(event: NodeEvent, atMs: number): void;
  /** Why the content store cannot be read now; undefined: it can, as far as is known. */
  ofStore(): string | undefined;
  /** The latest first. */
  views(): TroubleView[];
}

export function createTroubles({ viewTroublesMax }: Pick<Limits, 'viewTroublesMax'>): Troubles {
  const troubles = new Map<string, TroubleView>();
  const store: { reason: string | undefined } = { reason: undefined };
  return {
    add: (event, atMs) => {
      if (event.type === 'store-connection') store.reason = event.connected ? undefined : event.reason;
      const told = troubleOf(event);
      if (told === undefined) return;
      const key = `${told.what}\n${told.reason}`;
      const count = (troubles.get(key)?.count ?? 0) + 1;
      troubles.delete(key);
      troubles.set(key, { ...told, count, atMs });
      const [oldest] = troubles.keys();
      if (troubles.size > viewTroublesMax && oldest !== undefined) troubles.delete(oldest);
    },
    ofStore: () => store.reason,
    views: () => [...troubles.values()].reverse(),
  };
}

function troubleOf(event: NodeEvent): { readonly what: string; readonly reason: string } | undefined {
  switch (event.type) {
    case 'content-wrong':
      return {
        what: 'Own content does not match its digest: pull the image again, and look at the disk',
        reason: event.digest,
      };
    case 'store-failed':
      return { what: 'Reading the content store failed', reason: event.reason };
    case 'request-failed':
      return { what: 'A request failed by a fault of this program: please report it', reason: event.reason };
    case 'advertise-failed':
      return { what: 'A member could not be told what this node has', reason: `${event.member}: ${event.reason}` };
    case 'name-skipped':
      return { what: 'A name in the content store is not served', reason: `${event.name}: ${event.reason}` };
    case 'hosts-mended':
      return {
        what: 'hosts.toml was removed or changed by somebody, and is as configured again',
        reason: event.paths.join(', '),
      };
    case 'hosts-failed':
      return { what: 'hosts.toml is not as configured, and could not be mended', reason: event.reason };
    case 'mode-failed':
      return { what: 'A mode file says nothing that is understood: what it said before holds', reason: event.reason };
    case 'store-connection':
      return event.connected ? undefined : { what: 'The content store did not answer', reason: event.reason };
    default:
      return undefined;
  }
}
