import { abortReason, onAbort, PeiliError } from '../../core/index.ts';
import type { Holder, LookupAnswer, Member, Records, RecordsHandler, RoutingKey } from '../../core/index.ts';
import type { Life } from '../kernel/life.ts';
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
    isConnected: ({ id }) => directory.links.isOpen(seat, id),
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
  return new Promise((resolve, reject) => {
    new Call(directory, seat, id, key, deliver, resolve, reject).begin(signal);
  });
}

type Result<T> = { readonly value: T } | { readonly error: unknown };

/** What the message's end is to whoever sent it. */
interface Message<T> {
  deliver(handler: RecordsHandler): T;
  answer(result: Result<T>): void;
  fail(why: string): void;
}

/** As its caller sees it. There are many at once: one object, few functions. */
class Call<T> implements Message<T> {
  readonly #directory: Directory;
  readonly #seat: Seat;
  readonly #id: string;
  readonly #key: RoutingKey | undefined;
  readonly #deliver: Deliver<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (cause: unknown) => void;
  /** The run of the program that called: another one knows nothing of it. */
  readonly #life: Life;
  #unhook: (() => void) | undefined;
  #sent: { readonly link: Link; readonly target: Seat; readonly fault: RecordsFault | undefined } | undefined;
  #isOver = false;

  constructor(
    directory: Directory,
    seat: Seat,
    id: string,
    key: RoutingKey | undefined,
    deliver: Deliver<T>,
    resolve: (value: T) => void,
    reject: (cause: unknown) => void,
  ) {
    this.#directory = directory;
    this.#seat = seat;
    this.#life = seat.party.life;
    this.#id = id;
    this.#key = key;
    this.#deliver = deliver;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(signal: AbortSignal): void {
    this.#unhook = onAbort(signal, () => {
      this.#isOver = true;
      this.#reject(abortReason(signal));
    });
    if (this.#isOver) return;
    this.#directory.links.connect(this.#seat, this.#id, this.#key === undefined, (link) => {
      this.#onConnected(link);
    });
  }

  deliver(handler: RecordsHandler): T {
    if (this.#sent === undefined) throw new TypeError('delivered before it was sent');
    return this.#deliver(handler, this.#sent.fault, this.#sent.target);
  }

  answer(result: Result<T>): void {
    if (this.#sent !== undefined) this.#sent.link.silentSinceUs = undefined;
    if (!this.#settle()) return;
    if ('error' in result) this.#reject(result.error);
    else this.#resolve(result.value);
  }

  fail(why: string): void {
    this.#life.run(() => {
      if (this.#settle()) this.#reject(new PeiliError('MEMBER_UNREACHABLE', `${this.#id} ${why}`));
    });
  }

  #onConnected(link: Link | undefined): void {
    const directory = this.#directory;
    const seat = this.#seat;
    const target = directory.find(this.#id);
    if (link === undefined || target === undefined) {
      this.fail('could not be reached');
      return;
    }
    if (this.#isOver) return;
    const fault = directory.faultOf({ from: seat, to: target, key: this.#key });
    this.#sent = { link, target, fault };
    send(directory, seat, target, link, fault, this);
    if (fault?.kind !== 'again') return;
    // The same bytes, on a stream that was given up.
    directory.kernel.schedule(fault.delayUs, () => {
      const ignore = (): void => undefined;
      const deliver = (handler: RecordsHandler): T => this.#deliver(handler, undefined, target);
      send(directory, seat, target, link, undefined, { fail: ignore, deliver, answer: ignore });
    });
  }

  /** False when it has ended before. */
  #settle(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#unhook?.();
    return true;
  }
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
  const { host, life } = seat.party;
  const { host: targetHost, life: targetLife } = target.party;
  const latencyUs = options.latencyUs(host, targetHost) + (fault?.kind === 'slow' ? fault.delayUs : 0);
  link.silentSinceUs ??= kernel.nowUs();
  kernel.schedule(latencyUs + Math.ceil(handlingUs * target.slowness), () => {
    options.passage.whenOpen(host, targetHost, () => {
      if (targetLife.isOver) {
        message.fail('is gone');
        return;
      }
      targetLife.run(() => {
        const { handler } = target;
        if (fault?.kind === 'lost') return;
        if (fault?.kind === 'refused' || handler === undefined) {
          message.fail('refused');
          return;
        }
        const result = fault?.kind === 'quota' ? { error: quota() } : resultOf(() => message.deliver(handler));
        kernel.schedule(latencyUs, () => {
          options.passage.whenOpen(targetHost, host, () => {
            life.run(() => {
              message.answer(result);
            });
          });
        });
      });
    });
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
