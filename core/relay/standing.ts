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

/** A run shorter than this says more about latency than about speed. */
const measuredBytesMin = 256 * 1024;

export function createStanding(
  clock: Clock,
  limits: Pick<Limits, 'demotionUs' | 'busyDemotionUs' | 'membersMax'>,
): Standing {
  const demotedUntilUs = createBoundedMap<SourceId, number>(limits.membersMax);
  const speeds = createBoundedMap<SourceId, number>(limits.membersMax);
  return {
    failed: (source, code) => {
      const forUs = demotionFor(code, limits);
      if (forUs > 0) demotedUntilUs.set(source, clock.nowUs() + forUs);
    },
    answered: (source) => {
      demotedUntilUs.delete(source);
    },
    measured: (source, bytes, waitedUs) => {
      if (bytes < measuredBytesMin) return;
      const now = (bytes * 1_000_000) / Math.max(1, waitedUs);
      const before = speeds.get(source);
      speeds.set(source, before === undefined ? now : (before + now) / 2);
    },
    isDemoted: (source) => (demotedUntilUs.get(source) ?? 0) > clock.nowUs(),
    speedBytesPerSecond: (source) => speeds.get(source),
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
      return limits.busyDemotionUs;
    default:
      return 0;
  }
}
