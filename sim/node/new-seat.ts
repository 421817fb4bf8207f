import type { Digester, MemberKind } from '../../core/index.ts';
import type { Party } from '../network/party.ts';
import type { Directory, Seat } from './directory.ts';
import { MemberView } from './member-view.ts';

/** A mirror that nobody knows yet, under this identity. */
export function newSeat(
  id: string,
  party: Party,
  kind: MemberKind,
  directory: Directory,
  digester: Pick<Digester, 'hash'>,
): Seat {
  return {
    party,
    self: {
      id,
      position: digester.hash('sha256', new TextEncoder().encode(id)),
      addresses: [directory.nextAddress()],
      registryPort: 5_000,
      kind,
      zone: party.host.zone,
      incarnation: 0,
      connected: true,
    },
    handler: undefined,
    view: new MemberView(id),
    listeners: new Set(),
    hinted: new Set(),
    busyUntilUs: 0,
    slowness: 1,
    isGone: false,
  };
}
