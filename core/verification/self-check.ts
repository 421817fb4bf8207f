import { abortedError, onAbort, openScope, settleOrAbort, throwIfAborted } from '../abort.ts';
import { errorCodeOf, PeiliError, reasonOf } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { Clock, ContentStore, Digester, Observer } from '../ports/index.ts';
import { createBoundedMap } from '../relay/bounded-map.ts';
import { algorithmOf } from './digest.ts';

export type CheckResult = 'right' | 'wrong' | 'absent' | 'unknown';

/** This node's own look at its own files: hashes one when somebody doubts it, and remembers what it saw. */
export interface SelfCheck {
  /**
   * One check at a time, one per digest; a result counts for `selfCheckMemoryUs`. `unknown`: too many wait, or the file could not be read, which
   * is also so where nothing comes for `stallTimeoutUs`: a disk that does not answer keeps no other check waiting. Never rejects.
   */
  check(digest: string): Promise<CheckResult>;
  /** Found wrong and not replaced since: not served, not advertised. */
  isWrong(digest: string): boolean;
  /** The store says that the content is another one now, or gone. */
  forget(digest: string): void;
  dispose(): void;
}

export interface SelfCheckDeps {
  readonly clock: Clock;
  readonly store: ContentStore;
  readonly digester: Digester;
  readonly observer: Observer;
}

export function createSelfCheck(deps: SelfCheckDeps, limits: Limits, onWrong: (digest: string) => void): SelfCheck {
  const { clock, store, digester, observer } = deps;
  const wrong = createBoundedMap<string, true>(limits.servedMemoryMax);
  const results = createBoundedMap<string, { result: CheckResult; untilUs: number }>(limits.servedMemoryMax);
  const running = new Map<string, Promise<CheckResult>>();
  /** Replaced while it was being hashed: what was seen is not what is there. */
  const replaced = new Set<string>();
  const life = new AbortController();
  const queue: { tail: Promise<unknown> } = { tail: Promise.resolve() };

  const hash = async (digest: string, signal: AbortSignal, onProgress: () => void): Promise<CheckResult> => {
    throwIfAborted(signal);
    const info = await store.info(digest, signal);
    if (info === undefined) return 'absent';
    const body = await store.open(digest, 0, info.sizeBytes, signal);
    const stream = digester.stream(algorithmOf(digest));
    const letGo = onAbort(signal, stream.cancel);
    try {
      for (;;) {
        const { done, value } = await body.next();
        throwIfAborted(signal); // A body that was ended early is not a file that is wrong.
        onProgress();
        if (done === true) break;
        await stream.update(value);
        onProgress();
      }
      return (await stream.finish()) === digest ? 'right' : 'wrong';
    } finally {
      letGo();
      stream.cancel();
      await body.return();
    }
  };

  /** Hashes the file, unless nothing comes of it for too long. One re-armed timer, nothing per chunk. */
  const hashOrGiveUp = async (digest: string): Promise<CheckResult> => {
    const scope = openScope(life.signal);
    const progress = { atUs: clock.nowUs() };
    const look = (): void => {
      const leftUs = progress.atUs + limits.stallTimeoutUs - clock.nowUs();
      if (leftUs > 0) timer = clock.schedule(leftUs, look);
      else scope.abort(new PeiliError('STORE_FAILED', 'the store gave no byte of a file in time', { digest }));
    };
    let timer = clock.schedule(limits.stallTimeoutUs, look);
    const onProgress = (): void => {
      progress.atUs = clock.nowUs();
    };
    try {
      return await settleOrAbort(hash(digest, scope.signal, onProgress), scope.signal);
    } finally {
      timer.cancel();
      scope.close();
    }
  };

  const checkNow = async (digest: string): Promise<CheckResult> => {
    try {
      const result = await hashOrGiveUp(digest);
      if (replaced.has(digest)) return 'unknown';
      results.set(digest, { result, untilUs: clock.nowUs() + limits.selfCheckMemoryUs });
      if (result === 'wrong') {
        wrong.set(digest, true);
        observer.onNode({ type: 'content-wrong', digest });
        onWrong(digest);
      }
      return result;
    } catch (error) {
      if (errorCodeOf(error) !== 'ABORTED') observer.onNode({ type: 'store-failed', reason: reasonOf(error) });
      return 'unknown';
    } finally {
      running.delete(digest);
      replaced.delete(digest);
    }
  };

  return {
    check: (digest) => {
      if (wrong.get(digest) === true) return Promise.resolve('wrong');
      const known = results.get(digest);
      if (known !== undefined && known.untilUs > clock.nowUs()) return Promise.resolve(known.result);
      const already = running.get(digest);
      if (already !== undefined) return already;
      if (running.size >= limits.selfChecksMax || life.signal.aborted) return Promise.resolve('unknown');
      const check = queue.tail.then(() => checkNow(digest));
      queue.tail = check;
      running.set(digest, check);
      return check;
    },
    isWrong: (digest) => wrong.get(digest) === true,
    forget: (digest) => {
      wrong.delete(digest);
      results.delete(digest);
      if (running.has(digest)) replaced.add(digest);
    },
    dispose: () => {
      life.abort(abortedError());
    },
  };
}
