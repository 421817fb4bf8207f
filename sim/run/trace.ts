import type { NodeEvent, PullEvent, RequestText } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Party } from '../network/party.ts';

/** What happens in a simulated world. */
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
  | { readonly type: 'bytes'; readonly exchange: number; readonly bytes: number; readonly isWrong: boolean }
  /** `complete`, `fin`, `rst`, `closed`, or the code of the error. */
  | { readonly type: 'exchange-end'; readonly exchange: number; readonly how: string }
  | { readonly type: 'pull-begin'; readonly pull: number; readonly node: string; readonly image: string }
  | { readonly type: 'pull-end'; readonly pull: number; readonly node: string; readonly outcome: string }
  | { readonly type: 'mirror-pull'; readonly node: string; readonly event: PullEvent }
  | { readonly type: 'mirror-node'; readonly node: string; readonly event: NodeEvent }
  | { readonly type: 'fault'; readonly kind: string; readonly target: string; readonly phase: 'begin' | 'end' };

export type SimEvent = SimStep & { readonly atUs: number };

/** The one stream of events of a run: its hash, and whoever watches. */
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
    const { hash } = this.#kernel;
    hash.mixText(step.type);
    if ('exchange' in step) hash.mix(step.exchange);
    if (step.type === 'bytes') hash.mix(step.bytes);
    else if (step.type === 'head') hash.mix(step.status);
    else if (step.type === 'exchange-end') hash.mixText(step.how);
    else if ('node' in step) hash.mixText(step.node);
    if (this.#watchers.length === 0) return;
    const event: SimEvent = { ...step, atUs: this.#kernel.nowUs() };
    for (const watcher of this.#watchers) watcher(event);
  }
}
