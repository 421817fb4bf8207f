import { onAbort, PeiliError } from '../../core/index.ts';
import type { Links } from './memory-cluster.ts';

/** The way to another node: resolves when a connection is there, rejects with `DIAL_REFUSED` or `DIAL_TIMEOUT`. */
export async function passLink(links: Links, fromId: string, toId: string, signal: AbortSignal): Promise<void> {
  const fault = links.fault(fromId, toId);
  // Calls never run within the caller's own turn.
  await Promise.resolve();
  if (fault?.type === 'black-hole') {
    await waitUs(links, links.limits.dialTimeoutUs, signal);
    throw new PeiliError('DIAL_TIMEOUT', 'no connection in time', { member: toId });
  }
  if (fault?.type === 'refuse' || links.seat(toId) === undefined) {
    throw new PeiliError('DIAL_REFUSED', 'nobody listens there', { member: toId });
  }
}

/** Settles after the time; with an aborted signal it never does, and leaves no timer. */
function waitUs({ clock }: Links, delayUs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.schedule(delayUs, () => {
      unhook();
      resolve();
    });
    const unhook = onAbort(signal, timer.cancel);
  });
}
