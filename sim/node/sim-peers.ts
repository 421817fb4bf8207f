import { abortReason, onAbort, PeiliError } from '../../core/index.ts';
import type { Limits, PeerClient } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Wire } from '../network/wire.ts';
import type { Directory, Seat } from './directory.ts';

/** Requests from one mirror to another. */
export function createSimPeers(seat: Seat, wire: Wire, directory: Directory, limits: Limits): PeerClient {
  const { dialTimeoutUs } = limits;
  return {
    fetch: (member, { method, target, headers }, signal) => {
      const to = directory.find(member.id);
      if (to === undefined || to.isGone) return dialNobody(directory.kernel, dialTimeoutUs, signal);
      const request = { method, target, headers: { ...headers, 'x-spegel-mirrored': 'true' } };
      return wire.exchange(seat.party, to.party, request, signal, { dialTimeoutUs });
    },
  };
}

/** An address that nobody has: packets vanish. */
function dialNobody(kernel: Kernel, dialTimeoutUs: number, signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) {
      reject(abortReason(signal));
      return;
    }
    const timer = kernel.schedule(dialTimeoutUs, () => {
      unhook();
      reject(new PeiliError('DIAL_TIMEOUT', 'nobody is at this address'));
    });
    const unhook = onAbort(signal, () => {
      timer.cancel();
      reject(abortReason(signal));
    });
  });
}
