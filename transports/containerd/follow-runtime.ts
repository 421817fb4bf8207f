import { openScope, PeiliError, settleOrAbort, throwIfAborted } from '../../core/index.ts';
import type { Clock, Limits } from '../../core/index.ts';
import { createContainerdApi } from './containerd-api.ts';
import type { ContainerdApi, ContainerdEvent } from './containerd-api.ts';
import { createContentPlace } from './content-place.ts';
import type { ContentPlace } from './content-place.ts';
import { readRuntimeImage } from './runtime-image.ts';
import type { RuntimeImage } from './runtime-image.ts';

export type { RuntimeImage } from './runtime-image.ts';

/** What containerd shows of itself as pulls go on, in the order in which it did. */
export type RuntimeSign =
  /** An image that was there before anything else was told, or after a gap. */
  | { readonly type: 'known'; readonly name: string; readonly target: string }
  /** Content is there now: `/content/create` says it from containerd 2.1 on, before that a new file does. */
  | { readonly type: 'content'; readonly atUs: number; readonly digest: string }
  /** A name has been given, or given again. */
  | { readonly type: 'image'; readonly atUs: number; readonly name: string; readonly image: RuntimeImage }
  | { readonly type: 'image-removed'; readonly atUs: number; readonly name: string }
  /** From now on everything is told. */
  | { readonly type: 'connected'; readonly version: string }
  /** The stream of events has ended: what happens until it is connected again is not told. */
  | { readonly type: 'gap'; readonly reason: string };

export interface FollowRuntimeDeps {
  /** `atUs` is its time. */
  readonly clock: Clock;
}

export interface FollowRuntimeOptions {
  /** The path of containerd's socket. */
  readonly socket: string;
  readonly namespace: string;
  /** As this process sees it. @default asked from containerd */
  readonly contentPath?: string | undefined;
  readonly limits: Limits;
  readonly onSign: (sign: RuntimeSign) => void;
}

/**
 * Tells what happens in a namespace of containerd until the signal ends it, then resolves. Rejects where the first connection fails (`CONTAINERD_UNREACHABLE`,
 * `CONTAINERD_FAILED`); later ones are made again for ever.
 */
export async function followRuntime(
  deps: FollowRuntimeDeps,
  options: FollowRuntimeOptions,
  signal: AbortSignal,
): Promise<void> {
  const follower = new Follower(deps, options);
  try {
    await follower.follow(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    follower.close();
  }
}

class Follower {
  readonly #clock: Clock;
  readonly #options: FollowRuntimeOptions;
  readonly #api: ContainerdApi;
  readonly #place: ContentPlace;
  /** What has been said is looked at in the order in which it was said. */
  #turn: Promise<void> = Promise.resolve();
  #signal: AbortSignal | undefined;

  constructor({ clock }: FollowRuntimeDeps, options: FollowRuntimeOptions) {
    const { contentPath, limits, namespace, socket } = options;
    this.#clock = clock;
    this.#options = options;
    this.#api = createContainerdApi({ clock }, { socket, namespace, limits });
    this.#place = createContentPlace(this.#api, contentPath, {
      onContent: (digest) => {
        this.#onFile(digest);
      },
      onAnything: () => {
        this.#inTurn(() => this.#place.watch());
      },
      onGap: () => undefined,
    });
  }

  async follow(signal: AbortSignal): Promise<void> {
    const { containerdRetryMaxUs, containerdRetryMinUs } = this.#options.limits;
    for (let failures = -1; ;) {
      const sinceUs = this.#clock.nowUs();
      try {
        await this.#connect(signal, () => {
          failures = 0;
        });
      } catch (error) {
        throwIfAborted(signal);
        if (failures < 0) throw error;
        const lastedUs = this.#clock.nowUs() - sinceUs;
        failures = lastedUs > containerdRetryMaxUs ? 1 : failures + 1;
        this.#options.onSign({ type: 'gap', reason: error instanceof Error ? error.message : String(error) });
        await this.#wait(Math.min(containerdRetryMaxUs, containerdRetryMinUs * 2 ** Math.min(failures, 16)), signal);
      }
    }
  }

  async #wait(delayUs: number, signal: AbortSignal): Promise<void> {
    const waited = Promise.withResolvers<undefined>();
    const timer = this.#clock.schedule(delayUs, () => {
      waited.resolve(undefined);
    });
    try {
      await settleOrAbort(waited.promise, signal);
    } finally {
      timer.cancel();
    }
  }

  close(): void {
    this.#place.close();
    this.#api.close();
  }

  /** Never resolves: rejects when the connection is over. */
  async #connect(signal: AbortSignal, onConnected: () => void): Promise<never> {
    const life = openScope(signal);
    this.#signal = life.signal;
    try {
      const version = await this.#api.version(life.signal);
      await this.#place.find(life.signal);
      await this.#place.watch();
      // What is said from now on waits until it is known what was there before.
      const told: ContainerdEvent[] = [];
      const state = { isListed: false };
      const over = this.#api.subscribe((event) => {
        if (state.isListed) this.#onEvent(event);
        else told.push(event);
      }, life.signal);
      over.catch(() => undefined);
      for (const { name, target } of await this.#api.images(life.signal)) {
        this.#options.onSign({ type: 'known', name, target: target.digest });
      }
      state.isListed = true;
      onConnected();
      this.#options.onSign({ type: 'connected', version });
      for (const event of told) this.#onEvent(event);
      await over;
      throw new PeiliError('CONTAINERD_UNREACHABLE', 'containerd has ended the stream of events: it may be restarting');
    } finally {
      life.abort();
      life.close();
    }
  }

  #onEvent({ id, isRemoval, subject }: ContainerdEvent): void {
    const atUs = this.#clock.nowUs();
    const { onSign } = this.#options;
    this.#inTurn(async (signal) => {
      if (subject === 'content') {
        onSign({ type: 'content', atUs, digest: id });
        return;
      }
      if (isRemoval) {
        onSign({ type: 'image-removed', atUs, name: id });
        return;
      }
      const record = await this.#api.image(id, signal);
      // It has been taken away since, which is told next.
      if (record !== undefined)
        onSign({ type: 'image', atUs, name: id, image: await readRuntimeImage(this.#api, record, signal) });
    });
  }

  /** It may have gone, too. */
  #onFile(digest: string): void {
    const atUs = this.#clock.nowUs();
    this.#inTurn(async () => {
      if (await this.#place.blobs().hasFile(digest)) this.#options.onSign({ type: 'content', atUs, digest });
    });
  }

  #inTurn(work: (signal: AbortSignal) => Promise<void>): void {
    const signal = this.#signal;
    if (signal === undefined) return;
    // What cannot be read any more when its turn comes is gone, or the connection is: that is told apart.
    this.#turn = this.#turn.then(() => (signal.aborted ? undefined : work(signal))).catch(() => undefined);
  }
}
