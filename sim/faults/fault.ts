import type { HttpFault } from '../network/http-fault.ts';

/** One thing that goes wrong, as a value that can be printed, drawn and left out. */
export interface Fault {
  readonly atUs: number;
  /** Index of the node that it happens to. */
  readonly target: number;
  readonly what: FaultKind;
  /** When it is over; without it: never. */
  readonly untilUs?: number;
}

export type FaultKind =
  /** The mirror is killed; it starts again at `untilUs`. */
  | { readonly kind: 'crash' }
  /** The cable is out. */
  | { readonly kind: 'unplug' }
  /** What the mirror answers to other mirrors. */
  | { readonly kind: 'http'; readonly fault: HttpFault };
