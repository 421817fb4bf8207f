import { PeiliError } from '../../core/index.ts';
import type { Limits, PeerClient } from '../../core/index.ts';
import type { Wire } from '../network/wire.ts';
import type { Directory, Seat } from './directory.ts';

/** Requests from one mirror to another. */
export function createSimPeers(seat: Seat, wire: Wire, directory: Directory, limits: Limits): PeerClient {
  const { dialTimeoutUs } = limits;
  return {
    fetch: (member, { method, target, headers }, signal) => {
      const to = directory.find(member.id)?.party;
      if (to === undefined) return Promise.reject(new PeiliError('DIAL_REFUSED', `${member.id} is nowhere`));
      const request = { method, target, headers: { ...headers, 'x-spegel-mirrored': 'true' } };
      return wire.exchange(seat.party, to, request, signal, { dialTimeoutUs });
    },
  };
}
