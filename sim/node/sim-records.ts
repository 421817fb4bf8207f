import { abortReason, onAbort, PeiliError } from '../../core/index.ts';
import type { Member, Records, RecordsHandler } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Host } from '../network/host.ts';
import type { Directory, Seat } from './directory.ts';

export interface SimRecordsDeps {
  readonly kernel: Kernel;
  readonly directory: Directory;
  readonly latencyUs: (from: Host, to: Host) => number;
  /** What a member takes to look at one message, microseconds. */
  readonly handlingUs: number;
}

/** Calls between the routers of a world. */
export function createSimRecords(seat: Seat, deps: SimRecordsDeps): Records {
  const { kernel, directory, handlingUs } = deps;
  const travel = (to: Member, signal: AbortSignal): Promise<void> => {
    const target = directory.find(to.id);
    const { life } = seat.party;
    const delayUs = target === undefined ? 0 : deps.latencyUs(seat.party.host, target.party.host) + handlingUs;
    return new Promise((resolve, reject) => {
      const timer = kernel.schedule(delayUs, () => {
        unhook();
        life.run(resolve);
      });
      const unhook = onAbort(signal, () => {
        timer.cancel();
        reject(abortReason(signal));
      });
    });
  };
  const call = async <T>(to: Member, signal: AbortSignal, deliver: (handler: RecordsHandler) => T): Promise<T> => {
    await travel(to, signal);
    const target = directory.find(to.id);
    if (target === undefined || target.party.life.isOver || target.handler === undefined) {
      throw new PeiliError('MEMBER_UNREACHABLE', `${to.id} does not answer`);
    }
    const isPlugged = target.party.host.isPlugged && seat.party.host.isPlugged;
    if (!isPlugged || target.isMute || target.party.life.isPaused) await never(signal);
    const answer = deliver(target.handler);
    await travel(to, signal);
    return answer;
  };
  return {
    send: (to, batch, signal) =>
      call(to, signal, (handler) => {
        handler.onBatch(seat.self, batch);
      }),
    lookup: (to, key, signal) => call(to, signal, (handler) => handler.onLookup(seat.self, key)),
    serve: (handler) => {
      seat.handler = handler;
      return () => {
        if (seat.handler === handler) seat.handler = undefined;
      };
    },
  };
}

function never(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    onAbort(signal, () => {
      reject(abortReason(signal));
    });
  });
}
