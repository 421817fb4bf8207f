import type { NodeEvent, PullEvent, RequestText } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { TraceHash } from '../kernel/trace-hash.ts';
import type { Party } from '../network/party.ts';

/** What happens in a simulated world. But for the parties of a request all of it is plain values. */
export type SimStep =
  | {
      readonly type: 'request';
      readonly exchange: number;
      readonly from: Party;
      readonly to: Party;
      readonly request: RequestText;
    }
  | {
      readonly type: 'head';
      readonly exchange: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  /** `sinceUs`: they came one after the other since then. `blob` and `offset`: what they say they are, where they are symbols. */
  | {
      readonly type: 'bytes';
      readonly exchange: number;
      readonly bytes: number;
      readonly isWrong: boolean;
      readonly sinceUs: number;
      readonly blob: number | undefined;
      readonly offset: number | undefined;
    }
  /** A `WireEnd`, or the code of the error. */
  | { readonly type: 'exchange-end'; readonly exchange: number; readonly how: string }
  | { readonly type: 'pull-begin'; readonly pull: number; readonly node: string; readonly image: string }
  | { readonly type: 'pull-end'; readonly pull: number; readonly node: string; readonly outcome: string }
  | { readonly type: 'mirror-pull'; readonly node: string; readonly event: PullEvent }
  | { readonly type: 'mirror-node'; readonly node: string; readonly event: NodeEvent }
  /** A place that a mirror says is rare, reached. */
  | { readonly type: 'probe'; readonly node: string; readonly name: string }
  | { readonly type: 'fault'; readonly kind: string; readonly target: string; readonly phase: 'begin' | 'end' };

/** When it happened, and in which event of the kernel: `replay` can stop there. */
export interface SimStamp {
  readonly atUs: number;
  readonly ordinal: number;
}

export type SimEvent = SimStep & SimStamp;

/** The one stream of what happens in a run: its hash, and whoever watches. */
export class Trace {
  readonly #kernel: Kernel;
  readonly #watchers: ((event: SimEvent) => void)[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  watch(watcher: (event: SimEvent) => void): void {
    this.#watchers.push(watcher);
  }

  emit(step: SimStep): void {
    mixStep(this.#kernel.hash, step);
    if (this.#watchers.length === 0) return;
    // The step was made for this call: it becomes the event.
    this.#tell(Object.assign(step, { atUs: this.#kernel.nowUs(), ordinal: this.#kernel.executed }));
  }

  /** As `emit()` of the step `bytes`, the most frequent one. Without a watcher there is no object. */
  emitBytes(exchange: number, bytes: number, isWrong: boolean, sinceUs: number, blob?: number, offset?: number): void {
    const kernel = this.#kernel;
    mixBytes(kernel.hash, exchange, bytes, isWrong, blob, offset);
    if (this.#watchers.length === 0) return;
    const atUs = kernel.nowUs();
    const ordinal = kernel.executed;
    this.#tell({ type: 'bytes', exchange, bytes, isWrong, sinceUs, blob, offset, atUs, ordinal });
  }

  #tell(event: SimEvent): void {
    for (const watcher of this.#watchers) watcher(event);
  }
}

/** Everything of a step that tells it from another: since when bytes came follows from what came before. */
function mixStep(hash: TraceHash, step: SimStep): void {
  switch (step.type) {
    case 'bytes':
      mixBytes(hash, step.exchange, step.bytes, step.isWrong, step.blob, step.offset);
      return;
    case 'request': {
      // Parties live and change: their names are what they are here.
      const { type, exchange, from, to, request } = step;
      hash.mixText(type);
      hash.mix(exchange);
      mixParty(hash, from);
      mixParty(hash, to);
      hash.mixValue(request);
      return;
    }
    default:
      hash.mixValue(step);
  }
}

function mixParty(hash: TraceHash, { host, role }: Party): void {
  hash.mixText(host.name);
  hash.mixText(role);
}

function mixBytes(
  hash: TraceHash,
  exchange: number,
  bytes: number,
  isWrong: boolean,
  blob: number | undefined,
  offset: number | undefined,
): void {
  hash.mix(isWrong ? wrongBytesCode : bytesCode);
  hash.mix(exchange);
  hash.mix(bytes);
  hash.mix(blob ?? -1);
  hash.mix(offset ?? -1);
}

const bytesCode = 0x62797465;
const wrongBytesCode = 0x62616421;
