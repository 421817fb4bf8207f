import type { HttpFault } from '../network/http-fault.ts';

/** One thing that goes wrong, as a value: it can be printed, drawn, and left out without changing the others. */
export interface Fault {
  readonly atUs: number;
  /** Index of the node that it happens to; `upstream`: the registry. */
  readonly target: number | 'upstream';
  readonly what: FaultKind;
  /** When it is over; without it: never. */
  readonly untilUs?: number;
}

export type FaultKind =
  /** The mirror is killed as by SIGKILL, and starts again at the fault's end. */
  | { readonly kind: 'crash' }
  /** As `crash`, and containerd's store is empty afterwards. */
  | { readonly kind: 'crash-empty' }
  /** The mirror stands still as by SIGSTOP: connections are taken, nothing is answered, timers are late. */
  | { readonly kind: 'pause' }
  /** The mirror says farewell, lets bodies end and goes; it starts again at the fault's end. */
  | { readonly kind: 'drain' }
  /** The cable is out: packets vanish both ways. */
  | { readonly kind: 'unplug' }
  /** The cable carries so many bytes a second, up and down. */
  | { readonly kind: 'rate'; readonly bytesPerSecond: number }
  /** What happens to exchanges with it; `from`: only those that this node begins. */
  | { readonly kind: 'http'; readonly fault: HttpFault; readonly from?: number }
  /** One byte of each layer's file is another one, until it is pulled anew. */
  | { readonly kind: 'corrupt'; readonly atByte: number }
  /** All layers are removed from its store. */
  | { readonly kind: 'remove-layers' }
  /** The wall clock jumps. */
  | { readonly kind: 'wall'; readonly offsetUs: number }
  /** It answers no call about records: they are lost. */
  | { readonly kind: 'mute-records' };
