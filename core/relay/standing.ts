import type { ErrorCode } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { Clock, SourceId } from '../ports/index.ts';
import { createBoundedMap } from './bounded-map.ts';

/** What this node remembers of the members it asked: who goes last for a while, and how fast each was. */
export interface Standing {
  failed(source: SourceId, code: ErrorCode | undefined): void;
  /** An answer came: whatever was held against it is over. */
  answered(source: SourceId): void;
  /** Bytes that came while they were waited for. */
  measured(source: SourceId, bytes: number, waitedUs: number): void;
  isDemoted(source: SourceId): boolean;
  speedBytesPerSecond(source: SourceId): number | undefined;
}

/** A run with fewer bytes and less waiting than this says more about latency than about speed. */
const measuredBytesMin = 256 * 1024;
const measuredWaitUsMin = 1_000_000;

interface Speed {
  readonly bytesPerSecond: number;
  readonly untilUs: number;
}

export function createStanding(
  clock: Clock,
  limits: Pick<Limits, 'demotionUs' | 'busyDemotionUs' | 'membersMax' | 'speedMemoryUs'>,
): Standing {
  const demotedUntilUs = createBoundedMap<SourceId, number>(limits.membersMax);
  const speeds = createBoundedMap<SourceId, Speed>(limits.membersMax);
  const speedOf = (source: SourceId): number | undefined => {
    const speed = speeds.get(source);
    return speed !== undefined && speed.untilUs > clock.nowUs() ? speed.bytesPerSecond : undefined;
  };
  return {
    failed: (source, code) => {
      const forUs = demotionFor(code, limits);
      if (forUs === 0) return;
      demotedUntilUs.set(source, Math.max(clock.nowUs() + forUs, demotedUntilUs.get(source) ?? 0));
    },
    answered: (source) => {
      demotedUntilUs.delete(source);
    },
    measured: (source, bytes, waitedUs) => {
      if (bytes < measuredBytesMin && waitedUs < measuredWaitUsMin) return;
      const now = (bytes * 1_000_000) / Math.max(1, waitedUs);
      const before = speedOf(source) ?? now;
      // The harmonic mean: the time that both runs together took, so that one good memory does not hide a crawl.
      const bytesPerSecond = before + now === 0 ? 0 : (2 * before * now) / (before + now);
      speeds.set(source, { bytesPerSecond, untilUs: clock.nowUs() + limits.speedMemoryUs });
    },
    isDemoted: (source) => (demotedUntilUs.get(source) ?? 0) > clock.nowUs(),
    speedBytesPerSecond: speedOf,
  };
}

function demotionFor(code: ErrorCode | undefined, limits: Pick<Limits, 'demotionUs' | 'busyDemotionUs'>): number {
  switch (code) {
    case 'DIAL_TIMEOUT':
    case 'DIAL_REFUSED':
    case 'HEAD_TIMEOUT':
    case 'MANIFEST_TIMEOUT':
    case 'PEER_STALLED':
    case 'PEER_PROTOCOL':
      return limits.demotionUs;
    case 'OVERLOADED':
    // A fault of this moment, or of this content alone, as far as one answer shows.
    case 'PEER_CLOSED':
    case 'PEER_REFUSED':
      return limits.busyDemotionUs;
    default:
      return 0;
  }
}
