import {
  abortReason,
  onAbort,
  openScope,
  PeiliError,
  reasonOf,
  settleOrAbort,
  throwIfAborted,
} from '../../core/index.ts';
import type { Clock, Limits } from '../../core/index.ts';
import { createRepeatingTask } from '../system/repeating-task.ts';
import type { ContainerdApi } from './containerd-api.ts';
import type { StoreTurns } from './store-turns.ts';

/** Keeps the connection to containerd: made again for ever, everything read again each time, since events in between are lost. */
export interface StoreLink {
  start(): void;
  /**
   * Waits for the first attempt, if it is under way: true if it was, and everything has just been read. Rejects with `CONTAINERD_UNREACHABLE` and the
   * reason while there is no connection.
   */
  ready(signal: AbortSignal): Promise<boolean>;
  /** Whether it ever was. */
  wasConnected(): boolean;
  /** What is true of it now, in words. */
  reason(): string;
  close(): void;
}

export interface StoreLinkDeps {
  readonly clock: Clock;
  readonly api: ContainerdApi;
  readonly turns: StoreTurns;
}

export interface StoreLinkOptions {
  readonly limits: Pick<Limits, 'containerdRetryMinUs' | 'containerdRetryMaxUs' | 'storeScanRetryUs'>;
  /** A containerd answers: where its content lies is found out before anything is read. */
  readonly prepare: (signal: AbortSignal) => Promise<void>;
  /** Connected and read, by the how-manieth attempt; or not connected any more, or still not: `reason` says what to do. */
  readonly onState: (connected: boolean, reason: string, attempts: number) => void;
}

export function createStoreLink(deps: StoreLinkDeps, options: StoreLinkOptions): StoreLink {
  return new Link(deps, options);
}

class Link implements StoreLink {
  readonly #deps: StoreLinkDeps;
  readonly #options: StoreLinkOptions;
  readonly #task;
  /** Resolved when the first attempt is over, whatever became of it. */
  readonly #first = Promise.withResolvers<undefined>();
  #isFirstOver = false;
  #attempts = 0;
  /** In a row. */
  #failures = 0;
  #wasConnected = false;
  #connectedAtUs: number | undefined;
  #reason = 'not connected yet';

  constructor(deps: StoreLinkDeps, options: StoreLinkOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#task = createRepeatingTask(deps.clock, (signal) => this.#run(signal));
  }

  start(): void {
    this.#task.start(0);
  }

  async ready(signal: AbortSignal): Promise<boolean> {
    const isFirst = !this.#isFirstOver;
    await settleOrAbort(this.#first.promise, signal);
    if (this.#connectedAtUs === undefined) throw new PeiliError('CONTAINERD_UNREACHABLE', this.#reason);
    return isFirst;
  }

  wasConnected(): boolean {
    return this.#wasConnected;
  }

  reason(): string {
    return this.#reason;
  }

  close(): void {
    this.#task.stop();
    this.#endFirst();
  }

  /** One connection, from its attempt to its end. Resolves with the time until the next. */
  async #run(signal: AbortSignal): Promise<number> {
    const { clock, turns } = this.#deps;
    const { containerdRetryMinUs, containerdRetryMaxUs } = this.#options.limits;
    const life = openScope(signal);
    this.#attempts += 1;
    const broken = Promise.withResolvers<never>();
    broken.promise.catch(() => undefined);
    const unhook = onAbort(life.signal, () => {
      broken.reject(abortReason(life.signal));
    });
    try {
      await this.#connect(life.signal, broken.reject);
      this.#endFirst();
      await broken.promise;
    } catch (error) {
      const sinceUs = this.#connectedAtUs;
      this.#connectedAtUs = undefined;
      // Only a connection that lasted shows that the next one is worth an attempt at once.
      if (sinceUs !== undefined && clock.nowUs() - sinceUs > containerdRetryMaxUs) this.#failures = 0;
      if (!signal.aborted) this.#tell(false, error instanceof Error ? error.message : reasonOf(error));
    } finally {
      turns.pause();
      unhook();
      life.abort();
      life.close();
      this.#endFirst();
    }
    const delayUs = containerdRetryMinUs * 2 ** Math.min(this.#failures, 16);
    this.#failures += 1;
    return Math.min(delayUs, containerdRetryMaxUs);
  }

  async #connect(signal: AbortSignal, onBroken: (error: unknown) => void): Promise<void> {
    const { api, clock, turns } = this.#deps;
    const { prepare, limits } = this.#options;
    const version = await api.version(signal);
    await prepare(signal);
    turns.resume(signal, onBroken);
    const onEvent: Parameters<ContainerdApi['subscribe']>[0] = ({ subject, id }) => {
      if (subject === 'image') turns.imageChanged(id);
      else turns.contentChanged(id);
    };
    const onEnd = (): void => {
      onBroken(new PeiliError('CONTAINERD_UNREACHABLE', 'containerd ended its stream of events: it may be restarting'));
    };
    api.subscribe(onEvent, signal).then(onEnd, onBroken);
    await turns.readAll();
    throwIfAborted(signal);
    this.#connectedAtUs = clock.nowUs();
    this.#wasConnected = true;
    this.#tell(true, `containerd ${version}`);
    // Whether the subscription began before or after the list was made is not known.
    turns.somethingChanged(limits.storeScanRetryUs);
  }

  #tell(connected: boolean, reason: string): void {
    this.#reason = reason;
    this.#options.onState(connected, reason, this.#attempts);
  }

  #endFirst(): void {
    this.#isFirstOver = true;
    this.#first.resolve(undefined);
  }
}
