import { throwIfAborted } from '../abort.ts';
import { errorCodeOf, reasonOf } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { Clock, ContentStore, Digester, Observer } from '../ports/index.ts';
import { createBoundedMap } from '../relay/bounded-map.ts';
import { algorithmOf } from './digest.ts';

export type CheckResult = 'right' | 'wrong' | 'absent' | 'unknown';

/** This node's own look at its own files: hashes one when somebody doubts it, and remembers what it saw. */
export interface SelfCheck {
  /** One check at a time, one per digest; a result counts for `selfCheckMemoryUs`. `unknown`: too many wait, or the file could not be read. */
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

  const hash = async (digest: string): Promise<CheckResult> => {
    throwIfAborted(life.signal);
    const info = await store.info(digest, life.signal);
    if (info === undefined) return 'absent';
    const stream = digester.stream(algorithmOf(digest));
    const body = await store.open(digest, 0, info.sizeBytes, life.signal);
    try {
      for (;;) {
        const { done, value } = await body.next();
        throwIfAborted(life.signal); // A body that was ended early is not a file that is wrong.
        if (done === true) break;
        await stream.update(value);
      }
      return (await stream.finish()) === digest ? 'right' : 'wrong';
    } finally {
      stream.cancel();
      await body.return();
    }
  };

  const checkNow = async (digest: string): Promise<CheckResult> => {
    try {
      const result = await hash(digest);
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
      life.abort();
    },
  };
}
