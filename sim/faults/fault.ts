import type { HttpFault } from '../network/http-fault.ts';
import type { NamesFault } from '../node/name-service.ts';
import type { RecordsFault } from '../node/records-fault.ts';

/** One thing that goes wrong, as a plain value: it can be written down, printed, drawn, and left out without changing the others. */
export interface Fault {
  readonly atUs: number;
  /** Index of the node that it happens to; `upstream`: the registry. */
  readonly target: number | 'upstream';
  readonly what: FaultKind;
  /** When it is over; without it: never. */
  readonly untilUs?: number;
}

export type FaultKind =
  // The mirror.
  /** It is killed as by SIGKILL, and starts again at the fault's end. */
  | { readonly kind: 'crash' }
  /** As `crash`, and containerd's store is empty afterwards. */
  | { readonly kind: 'crash-empty' }
  /** As `crash`, and who starts then has another identity at another address: as a pod that is replaced. */
  | { readonly kind: 'rename' }
  /** It stands still as by SIGSTOP: connections are taken, nothing is answered, timers are late. */
  | { readonly kind: 'pause' }
  /** It says farewell, lets bodies end and goes; it starts again at the fault's end. */
  | { readonly kind: 'drain' }
  /** Its processor needs so many times as long. */
  | { readonly kind: 'slow-cpu'; readonly times: number }
  // The whole node.
  /** All its programs stand still. */
  | { readonly kind: 'pause-node' }
  /** It is taken away: as a crash and an unplugged cable, and the cluster's DNS no longer names it. At the fault's end it comes back with an empty store. */
  | { readonly kind: 'vanish' }
  /** As `vanish` from the first, and nobody has heard of it: at the fault's end it joins. */
  | { readonly kind: 'absent' }
  // Its cable.
  /** It is out: packets vanish both ways. */
  | { readonly kind: 'unplug' }
  /** It carries so many bytes a second, up and down. */
  | { readonly kind: 'rate'; readonly bytesPerSecond: number }
  /** Packets take so much longer, each way. */
  | { readonly kind: 'latency'; readonly addedUs: number }
  /** No packet passes between it and these nodes; `way`: only those that it receives, or sends, are lost. */
  | { readonly kind: 'cut'; readonly with: readonly number[]; readonly way?: 'in' | 'out' }
  // HTTP.
  /** What happens to exchanges with it; `from`: only those that this node begins; `every`: only each so many-th. */
  | { readonly kind: 'http'; readonly fault: HttpFault; readonly from?: number; readonly every?: number }
  // Its store.
  /** One byte of each layer's file is another one, until it is pulled anew. */
  | { readonly kind: 'corrupt'; readonly atByte: number }
  /** All layers are removed from its store. */
  | { readonly kind: 'remove-layers' }
  /** Reads of layers that touch this byte fail: EIO. */
  | { readonly kind: 'read-error'; readonly atByte: number }
  /** Files of layers end here. */
  | { readonly kind: 'truncate'; readonly toBytes: number }
  /** It is read so slowly. */
  | { readonly kind: 'slow-disk'; readonly bytesPerSecond: number }
  /** What it tells of changes: that there may have been some, each twice, none, or later by `delayUs`, in any order by `reorder`. */
  | {
      readonly kind: 'store-events';
      readonly how: 'gap' | 'duplicate' | 'lost' | 'delay' | 'reorder';
      readonly delayUs?: number;
    }
  // Members and records.
  /** It answers no call about records: they are lost. */
  | { readonly kind: 'mute-records' }
  /** What happens to calls about records that it is asked; `every`: only to each so many-th. */
  | { readonly kind: 'records'; readonly fault: RecordsFault; readonly every?: number }
  /** What it is told by the cluster's DNS. */
  | { readonly kind: 'names'; readonly fault: NamesFault }
  /** It no longer knows these members, until it meets them again. */
  | { readonly kind: 'forget'; readonly members: readonly number[] }
  /** It knows nobody but these, and learns of nobody else. */
  | { readonly kind: 'island'; readonly with: readonly number[] }
  // Its clock.
  /** The wall clock jumps, and back at the fault's end. Monotonic time goes on. */
  | { readonly kind: 'wall'; readonly offsetUs: number }
  /** The wall clock goes so many microseconds in each second too fast. */
  | { readonly kind: 'drift'; readonly usPerSecond: number };

export type FaultOf<Kind extends FaultKind['kind']> = Extract<FaultKind, { readonly kind: Kind }>;
