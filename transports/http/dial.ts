import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { abortReason, onAbort, PeiliError, throwIfAborted } from '../../core/index.ts';
import type { Clock, Limits, Member } from '../../core/index.ts';

/** Opens a connection to one member. The socket is the caller's; it reads nothing before it is resumed. */
export type Dialler = (signal: AbortSignal) => Promise<Socket>;

export type OpenSocket = (address: string, port: number) => Socket;

export const openSocket: OpenSocket = (host, port) => connect({ host, port, noDelay: true });

/**
 * Dials a member's addresses: the next one as soon as one refuses, or when its share of the time is over, the earlier ones going on;
 * the first that answers wins. All of it takes `limits.dialTimeoutUs` at most.
 * Only IP addresses are dialled: a name would be resolved on another's word. Rejects with `DIAL_REFUSED`, `DIAL_TIMEOUT` or the signal's reason.
 */
export async function dialMember(
  { clock, limits, open }: { clock: Clock; limits: Limits; open: OpenSocket },
  member: Pick<Member, 'id' | 'addresses' | 'registryPort'>,
  signal: AbortSignal,
): Promise<Socket> {
  throwIfAborted(signal);
  const addresses = member.addresses.filter((address) => isIP(address) !== 0).slice(0, limits.dialAddressesMax);
  const details = { member: member.id, port: member.registryPort, addresses: addresses.join(' ') };
  const shareUs = Math.floor(limits.dialTimeoutUs / Math.max(1, addresses.length));
  return new Promise((resolve, reject) => {
    const sockets = new Set<Socket>();
    const state = { next: 0, done: false };
    const startUs = clock.nowUs();

    const settle = (act: () => void, winner?: Socket): void => {
      if (state.done) return;
      state.done = true;
      timer.cancel();
      stopWatching();
      for (const socket of sockets) if (socket !== winner) socket.destroy();
      act();
    };
    const fail = (code: 'DIAL_REFUSED' | 'DIAL_TIMEOUT', message: string, cause?: unknown): void => {
      settle(() => {
        reject(new PeiliError(code, message, details, cause));
      });
    };
    const dialNext = (): void => {
      const address = addresses[state.next];
      if (address === undefined) return;
      state.next += 1;
      const socket = open(address, member.registryPort);
      sockets.add(socket);
      const onError = (error: Error): void => {
        sockets.delete(socket);
        if (state.done) return;
        if (state.next < addresses.length) dialNext();
        else if (sockets.size === 0) fail('DIAL_REFUSED', 'no address of the member takes a connection', error);
      };
      socket.on('error', onError);
      socket.once('connect', () => {
        socket.off('error', onError);
        settle(() => {
          resolve(socket);
        }, socket);
      });
    };
    const tick = (): void => {
      if (clock.nowUs() - startUs >= limits.dialTimeoutUs) {
        fail('DIAL_TIMEOUT', 'no address of the member answered in time');
        return;
      }
      dialNext();
      timer = clock.schedule(Math.min(shareUs, limits.dialTimeoutUs - (clock.nowUs() - startUs)), tick);
    };
    let timer = clock.schedule(limits.dialTimeoutUs, tick);
    const stopWatching = onAbort(signal, () => {
      settle(() => {
        reject(abortReason(signal));
      });
    });
    if (addresses.length === 0) fail('DIAL_REFUSED', 'the member has no IP address');
    else {
      timer.cancel();
      tick();
    }
  });
}
