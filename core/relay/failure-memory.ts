import type { Limits } from '../limits.ts';
import type { Clock, SourceId } from '../ports/index.ts';
import { createBoundedMap } from './bounded-map.ts';

/**
 * Failures outlive the request: a source that failed at an offset of a digest is not used there again for a while. Without it a client that
 * resumes at that offset would be given the same failure until it gives up (containerd: 3 times), and the upstream never asked.
 */
export interface FailureMemory {
  remember(digest: string, source: SourceId, offset: number): void;
  /**
   * The same, of one that crawls where there is no other. Only once in a while, for all bodies that were under way then: false when it did so before this one
   * began, and whoever asks again has no better.
   */
  crawled(digest: string, source: SourceId, offset: number, beganUs: number): boolean;
  /** The lowest offset at which the source failed lately: it may be used below it only. Undefined: no failure. */
  failedAt(digest: string, source: SourceId): number | undefined;
}

export function createFailureMemory(
  clock: Clock,
  limits: Pick<Limits, 'failureMemoryUs' | 'failureMemoryMax' | 'crawlMemoryUs'>,
): FailureMemory {
  const failures = createBoundedMap<string, { offset: number; untilUs: number }>(limits.failureMemoryMax);
  const crawledAtUs = createBoundedMap<string, number>(limits.failureMemoryMax);
  const keyOf = (digest: string, source: SourceId): string => `${digest} ${source}`;
  const failedAt = (digest: string, source: SourceId): number | undefined => {
    const failure = failures.get(keyOf(digest, source));
    if (failure === undefined) return undefined;
    if (failure.untilUs > clock.nowUs()) return failure.offset;
    failures.delete(keyOf(digest, source));
    return undefined;
  };
  const remember = (digest: string, source: SourceId, offset: number): void => {
    const lowest = Math.min(offset, failedAt(digest, source) ?? Infinity);
    failures.set(keyOf(digest, source), { offset: lowest, untilUs: clock.nowUs() + limits.failureMemoryUs });
  };
  return {
    failedAt,
    remember,
    crawled: (digest, source, offset, beganUs) => {
      const key = keyOf(digest, source);
      const nowUs = clock.nowUs();
      const lastUs = crawledAtUs.get(key) ?? -Infinity;
      const isOld = nowUs - lastUs >= limits.crawlMemoryUs;
      if (!isOld && lastUs < beganUs) return false;
      if (isOld) crawledAtUs.set(key, nowUs);
      remember(digest, source, offset);
      return true;
    },
  };
}
