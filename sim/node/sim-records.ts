import { abortReason, onAbort, PeiliError } from '../../core/index.ts';
import type { Holder, LookupAnswer, Member, Records, RecordsHandler, RoutingKey } from '../../core/index.ts';
import type { Directory, Seat } from './directory.ts';
import type { Link } from './links.ts';
import type { RecordsFault } from './records-fault.ts';

/** What a member takes to look at one message (a call over an open stream costs 0.125 ms of processor time for both ends). */
const handlingUs = 50;

/** Calls between the routers of a world. */
export function createSimRecords(seat: Seat, directory: Directory): Records {
  return {
    send: (to, batch, signal) =>
      call(directory, seat, to, undefined, signal, (handler, fault) => {
        handler.onBatch(seat.self, fault?.kind === 'stale' ? { ...batch, complete: false, withdraw: [] } : batch);
      }),
    lookup: (to, key, signal) =>
      call(directory, seat, to, key, signal, (handler, fault, target) =>
        spoil(handler.onLookup(seat.self, key), fault, seat, target),
      ),
    serve: (handler) => {
      seat.handler = handler;
      return () => {
        if (seat.handler === handler) seat.handler = undefined;
      };
    },
  };
}

type Deliver<T> = (handler: RecordsHandler, fault: RecordsFault | undefined, target: Seat) => T;

/** One call. What was sent arrives, whether or not anybody still waits for the answer. */
function call<T>(
  directory: Directory,
  seat: Seat,
  { id }: Member,
  key: RoutingKey | undefined,
  signal: AbortSignal,
  deliver: Deliver<T>,
): Promise<T> {
  const { kernel, links } = directory;
  const { life } = seat.party;
  return new Promise((resolve, reject) => {
    const state = { isOver: false };
    const unhook = onAbort(signal, () => {
      state.isOver = true;
      reject(abortReason(signal));
    });
    const settle = (tell: () => void): void => {
      if (state.isOver) return;
      state.isOver = true;
      unhook();
      tell();
    };
    const fail = (why: string): void => {
      life.run(() => {
        settle(() => {
          reject(new PeiliError('MEMBER_UNREACHABLE', `${id} ${why}`));
        });
      });
    };
    if (state.isOver) return;
    links.connect(seat, id, key === undefined, (link) => {
      const target = directory.find(id);
      if (link === undefined || target === undefined) {
        fail('could not be reached');
        return;
      }
      if (state.isOver) return;
      const fault = directory.faultOf({ from: seat, to: target, key });
      send(directory, seat, target, link, fault, {
        fail,
        deliver: (handler) => deliver(handler, fault, target),
        answer: (result) => {
          link.silentSinceUs = undefined;
          settle(() => {
            if ('error' in result) reject(result.error);
            else resolve(result.value);
          });
        },
      });
      if (fault?.kind !== 'again') return;
      // The same bytes, on a stream that was given up.
      kernel.schedule(fault.delayUs, () => {
        const ignore = (): void => undefined;
        send(directory, seat, target, link, undefined, {
          fail: ignore,
          deliver: (handler) => deliver(handler, undefined, target),
          answer: ignore,
        });
      });
    });
  });
}

type Result<T> = { readonly value: T } | { readonly error: unknown };

interface Message<T> {
  readonly deliver: (handler: RecordsHandler) => T;
  readonly answer: (result: Result<T>) => void;
  readonly fail: (why: string) => void;
}

function send<T>(
  directory: Directory,
  seat: Seat,
  target: Seat,
  link: Link,
  fault: RecordsFault | undefined,
  message: Message<T>,
): void {
  const { kernel, options } = directory;
  const { host, life: senderLife } = seat.party;
  const { host: targetHost, life: targetLife } = target.party;
  const latencyUs = options.latencyUs(host, targetHost) + (fault?.kind === 'slow' ? fault.delayUs : 0);
  link.silentSinceUs ??= kernel.nowUs();
  const back = (result: Result<T>): void => {
    kernel.schedule(latencyUs, () => {
      options.passage.whenOpen(targetHost, host, () => {
        senderLife.run(() => {
          message.answer(result);
        });
      });
    });
  };
  const arrive = (): void => {
    if (targetLife.isOver) {
      message.fail('is gone');
      return;
    }
    targetLife.run(() => {
      const { handler } = target;
      if (fault?.kind === 'lost') return;
      if (fault?.kind === 'refused' || handler === undefined) message.fail('refused');
      else back(fault?.kind === 'quota' ? { error: quota() } : resultOf(() => message.deliver(handler)));
    });
  };
  kernel.schedule(latencyUs + Math.ceil(handlingUs * target.slowness), () => {
    options.passage.whenOpen(host, targetHost, arrive);
  });
}

function resultOf<T>(work: () => T): Result<T> {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof PeiliError) {
      return { error: error.code === 'QUOTA_EXCEEDED' ? quota() : new PeiliError('MEMBER_UNREACHABLE', 'it refused') };
    }
    throw error;
  }
}

function quota(): PeiliError {
  return new PeiliError('QUOTA_EXCEEDED', 'the member keeps no more records of this node');
}

/** What a member answers that is ill or hostile. */
function spoil(answer: LookupAnswer, fault: RecordsFault | undefined, asker: Seat, target: Seat): LookupAnswer {
  switch (fault?.kind) {
    case 'empty':
      return { holders: [], warming: false, closer: [] };
    case 'self':
      return { ...answer, holders: [{ member: asker.self }, { member: target.self }] };
    case 'hostile': {
      const known: Holder[] = target.view.members().map((member) => ({ member, freeSlots: 256 }));
      const stranger = strangerLike(target.self);
      return { holders: [{ member: stranger }, ...known], warming: false, closer: [stranger, asker.self] };
    }
    default:
      return answer;
  }
}

/** A member that is nowhere. */
function strangerLike({ position, ...member }: Member): Member {
  const elsewhere = position.map((byte) => byte ^ 0x55);
  return { ...member, position: elsewhere, id: `${member.id}-stranger`, addresses: ['192.0.2.1'], connected: false };
}
