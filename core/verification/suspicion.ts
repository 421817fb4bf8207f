import type { Limits } from '../limits.ts';
import type { Clock, SourceId } from '../ports/index.ts';
import { createBoundedMap } from '../relay/bounded-map.ts';
import { parseRange } from '../requests/range.ts';

/**
 * Who is asked again for bytes that were delivered whole a moment ago may have been given wrong ones: containerd asks again about a second after a commit
 * failed. It is a suspicion only. Two runtimes, or a client that is no containerd, ask twice for good reasons, so it names nobody (contract L8).
 */
export interface Suspicion {
  /** A client got [start, end) of the content to the last byte, from these sources. */
  delivered(digest: string, start: number, end: number, sources: readonly SourceId[]): void;
  /** The sources of bytes that were delivered lately and are now asked for again. */
  suspects(digest: string, rangeHeader: string | undefined): ReadonlySet<SourceId>;
}

interface Delivery {
  readonly start: number;
  readonly end: number;
  readonly sources: readonly SourceId[];
  readonly untilUs: number;
}

/** Parallel ranges of one blob remembered; containerd's ranges of 8 MiB do not overlap, so that a few suffice. */
const deliveriesPerDigestMax = 16;

export function createSuspicion(
  clock: Clock,
  limits: Pick<Limits, 'suspicionWindowUs' | 'servedMemoryMax'>,
): Suspicion {
  const deliveries = createBoundedMap<string, readonly Delivery[]>(limits.servedMemoryMax);
  const recent = (digest: string): readonly Delivery[] => {
    const nowUs = clock.nowUs();
    return (deliveries.get(digest) ?? []).filter(({ untilUs }) => untilUs > nowUs);
  };
  return {
    delivered: (digest, start, end, sources) => {
      if (start === end) return;
      const delivery = { start, end, sources, untilUs: clock.nowUs() + limits.suspicionWindowUs };
      deliveries.set(digest, [...recent(digest), delivery].slice(-deliveriesPerDigestMax));
    },
    suspects: (digest, rangeHeader) => {
      const before = recent(digest);
      if (before.length === 0) return new Set();
      const sizeAtLeast = Math.max(...before.map(({ end }) => end));
      const { start, end } = reach(rangeHeader, sizeAtLeast);
      return new Set(
        before.filter((delivery) => delivery.start < end && start < delivery.end).flatMap(({ sources }) => sources),
      );
    },
  };
}

/** The bytes that a range may mean, where the size is only known to be at least `sizeAtLeast`. */
function reach(rangeHeader: string | undefined, sizeAtLeast: number): { start: number; end: number } {
  const spec = parseRange(rangeHeader);
  switch (spec.type) {
    case 'none':
      return { start: 0, end: Infinity };
    case 'from':
      return { start: spec.first, end: (spec.last ?? Infinity) + 1 };
    case 'suffix':
      return { start: Math.max(0, sizeAtLeast - spec.length), end: Infinity };
  }
}
