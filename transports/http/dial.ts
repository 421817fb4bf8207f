import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { abortReason, onAbort, PeiliError, scheduleFair, throwIfAborted } from '../../core/index.ts';
import type { Clock, Limits, Member, Timer } from '../../core/index.ts';

/** A connection that has begun to open; over the socket's events is decided which one is taken. */
export interface Dialled {
  readonly socket: Socket;
}

export interface DialDeps<C extends Dialled> {
  readonly clock: Clock;
  readonly limits: Pick<Limits, 'dialTimeoutUs' | 'dialAddressesMax'>;
  readonly open: (address: string, port: number) => C;
}

/**
 * Dials a member's addresses: the next one as soon as one refuses, or when its share of the time is over, the earlier ones going on;
 * the first that answers wins. All of it takes `limits.dialTimeoutUs` at most.
 * Only IP addresses are dialled: a name would be resolved on another's word. Rejects with `DIAL_REFUSED`, `DIAL_TIMEOUT` or the signal's reason.
 */
export async function dialMember<C extends Dialled>(
  { clock, limits, open }: DialDeps<C>,
  member: Pick<Member, 'id' | 'addresses' | 'registryPort'>,
  signal: AbortSignal,
): Promise<C> {
  throwIfAborted(signal);
  const port = member.registryPort;
  const waiting = member.addresses.filter((address) => isIP(address) !== 0).slice(0, limits.dialAddressesMax);
  const details = { member: member.id, port, addresses: waiting.join(' ') };
  if (waiting.length === 0 || !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new PeiliError('DIAL_REFUSED', 'the member has no address that could be dialled', details);
  }
  const shareUs = Math.floor(limits.dialTimeoutUs / waiting.length);
  const untilUs = clock.nowUs() + limits.dialTimeoutUs;

  return new Promise((resolve, reject) => {
    const dialled = new Set<C>();
    let timer: Timer | undefined;
    const settle = (winner?: C): void => {
      timer?.cancel();
      stopWatching();
      for (const other of dialled) if (other !== winner) other.socket.destroy();
      dialled.clear();
    };
    const fail = (error: PeiliError): void => {
      settle();
      reject(error);
    };
    const dialNext = (): void => {
      timer?.cancel();
      const address = waiting.shift();
      if (address !== undefined) dial(open(address, port));
      const leftUs = untilUs - clock.nowUs();
      timer =
        waiting.length > 0
          ? clock.schedule(Math.min(shareUs, leftUs), dialNext)
          : scheduleFair(clock, leftUs, () => {
              fail(new PeiliError('DIAL_TIMEOUT', 'no address of the member answered in time', details));
            });
    };
    const dial = (attempt: C): void => {
      dialled.add(attempt);
      attempt.socket.once('connect', () => {
        if (!dialled.has(attempt)) return;
        settle(attempt);
        resolve(attempt);
      });
      // It stays: an error between here and the next owner's listeners must not go unheard.
      attempt.socket.on('error', (error) => {
        if (!dialled.delete(attempt)) return;
        if (waiting.length > 0) dialNext();
        else if (dialled.size === 0) {
          fail(new PeiliError('DIAL_REFUSED', 'no address of the member takes a connection', details, error));
        }
      });
    };
    const stopWatching = onAbort(signal, () => {
      fail(abortReason(signal));
    });
    dialNext();
  });
}
