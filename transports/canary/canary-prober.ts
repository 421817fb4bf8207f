import { judgeCanary, PeiliError, withDeadline } from '../../core/index.ts';
import type { Canary, Clock, Limits, Observer, Random } from '../../core/index.ts';
import type { CriClient } from '../containerd/cri.ts';
import { createRepeatingTask } from '../system/repeating-task.ts';
import { createNonce, pullCanary, removeCanaries } from './canary-pull.ts';

export interface CanaryProberDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** The canary of this node's mirror: it sees who asks. */
  readonly canary: Pick<Canary, 'image' | 'askedFor'>;
  readonly cri: Pick<CriClient, 'pullImage' | 'listImages' | 'removeImage'>;
}

export interface CanaryProberOptions {
  /** As containerd names it, `amd64`. */
  readonly architecture: string;
  /** From one proof to the next, microseconds. */
  readonly intervalUs: number;
  readonly limits: Limits;
}

/** Proves again and again that this node's containerd asks this mirror: an event `canary` for each time. */
export interface CanaryProber {
  /** Begins, once requests are answered. */
  start(): void;
  /** Proves it anew: something has changed that it depends on. */
  soon(): void;
  /** Ends the pull under way too. Idempotent. */
  stop(): void;
}

/**
 * Each time it pulls an image that nobody has pulled before, so that neither a cache nor another node's pull can answer in the mirror's place, and removes it again.
 * What has not arrived is tried again soon, and then less and less often.
 */
export function createCanaryProber(deps: CanaryProberDeps, options: CanaryProberOptions): CanaryProber {
  const { canary, clock, cri, observer, random } = deps;
  const { intervalUs, limits } = options;
  const retryMinUs = Math.min(limits.canaryRetryUs, intervalUs);
  const state = { isTidy: false, retryUs: retryMinUs };

  const probe = async (signal: AbortSignal): Promise<number> => {
    const image = canary.image(options.architecture, createNonce(random));
    const startedUs = clock.nowUs();
    const pull = await pullCanary(deps, image.reference, limits, signal);
    const tookUs = clock.nowUs() - startedUs;
    const { cause, outcome, reason: meaning } = judgeCanary(pull, canary.askedFor(image.nonce));
    const reason = cause === undefined ? meaning : `${meaning} (${cause})`;
    const arrived = outcome === 'arrived';
    observer.onNode({ type: 'canary', arrived, outcome, reason, tookUs });
    if (pull.type !== 'unreachable') state.isTidy = await tidy(image.reference, signal);
    if (arrived) state.retryUs = retryMinUs;
    const nextUs = arrived ? intervalUs : state.retryUs;
    if (!arrived) state.retryUs = Math.min(2 * state.retryUs, intervalUs);
    return nextUs;
  };

  /** Whether nothing is left: of this run, and at first of earlier ones, which may have been killed before they could. */
  const tidy = async (reference: string, signal: AbortSignal): Promise<boolean> => {
    const late = (): PeiliError => new PeiliError('CONTAINERD_FAILED', 'containerd did not answer in time');
    const remove = async (inner: AbortSignal): Promise<boolean> => {
      await (state.isTidy ? cri.removeImage(reference, inner) : removeCanaries(cri, inner));
      return true;
    };
    return withDeadline(clock, limits.canaryTimeoutUs, signal, late, remove).catch(() => false);
  };

  // It rejects when it is stopped alone: there is no next time then.
  const task = createRepeatingTask(clock, (signal) => probe(signal).catch(() => intervalUs));
  return {
    start: () => {
      task.start(0);
    },
    soon: task.soon,
    stop: task.stop,
  };
}
