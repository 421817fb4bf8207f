import { errorTable, localSourceId, peersSourceId } from '../../core/index.ts';
import type { LookupOutcome } from '../../core/index.ts';
import type { DebugSnapshot, ObjectView, StepView } from './snapshot.ts';
import { formatBytes } from '../terminal.ts';

/** Milliseconds as a person says them: `3 ms`, `1.24 s`, `2 min 5 s`, `3 h 10 min`. */
export function formatTime(ms: number): string {
  if (ms < 10) return `${ms < 1 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

export function formatAgo(ms: number): string {
  if (ms < 5000) return 'just now';
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s ago`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}

export function formatRate(bytes: number, ms: number): string {
  return ms <= 0 ? '' : `${formatBytes(Math.round((bytes / ms) * 1000))}/s`;
}

export function formatShare(part: number, whole: number): string {
  const percent = (part / whole) * 100;
  return percent > 99 && part < whole ? '99 %' : `${Math.round(percent)} %`;
}

/** How a source is called here. */
export function sourceNames(snapshot: Pick<DebugSnapshot, 'members'>): (source: string) => string {
  const addresses = new Map(snapshot.members.list.map(({ id, address }) => [id, address]));
  const shared = new Map<string, number>();
  for (const address of addresses.values()) shared.set(address, (shared.get(address) ?? 0) + 1);
  return (source) => {
    if (source === localSourceId) return 'this node';
    if (source === peersSourceId) return 'peers';
    if (source === 'upstream') return 'upstream';
    const address = addresses.get(source);
    const short = source.length > 12 ? `…${source.slice(-8)}` : source;
    if (address === undefined || address === '') return short;
    return shared.get(address) === 1 ? address : `${address} (${short})`;
  };
}

const failures: Readonly<Record<string, string>> = {
  ABORTED: 'was not needed any more',
  BLOB_UNKNOWN: 'does not have it',
  MANIFEST_UNKNOWN: 'does not have it',
  CONTENT_ABSENT: 'has it no longer',
  DIAL_REFUSED: 'refused the connection',
  DIAL_TIMEOUT: 'could not be connected to in time',
  DIGEST_MISMATCH: 'sent bytes that do not match the digest',
  DRAINING: 'was about to stop',
  HEAD_TIMEOUT: 'did not answer in time',
  MANIFEST_TIMEOUT: 'did not send the manifest in time',
  MEMBER_UNREACHABLE: 'could not be reached',
  OVERLOADED: 'was busy',
  PEER_CLOSED: 'closed the connection early',
  PEER_PROTOCOL: 'did not answer in HTTP',
  PEER_REFUSED: 'gave an answer that does not fit',
  PEER_SLOW: 'sent too slowly',
  PEER_STALLED: 'sent nothing for too long',
  STARTING: 'had just started',
  STORE_FAILED: 'could not be read',
};

/** Our codes in words, what others said as it is. */
export function reasonWords(reason: string): string {
  return failures[reason] ?? `failed: ${reason}`;
}

/** What to do about it; undefined where the words say all. */
export function mendWords(reason: string): string | undefined {
  return Object.entries(errorTable).find(([code]) => code === reason)?.[1].mend;
}

export function stepWords(step: StepView, nameOf: (source: string) => string): string {
  const source = nameOf(step.source);
  switch (step.type) {
    case 'failed':
      return `${source} ${reasonWords(step.reason)}, after ${formatTime(step.tookMs)}`;
    case 'stalled':
      return `${source} stalled at ${formatBytes(step.offset)} for ${formatTime(step.waitedMs)}`;
    case 'switched':
      return `went on from ${nameOf(step.to)} instead of ${source} at ${formatBytes(step.offset)}, because it ${reasonWords(step.reason)}`;
    case 'resumed':
      return `resumed from ${source} at byte ${step.offset}`;
    case 'suspected':
      return `${source} was asked to check its own file: ${step.proof}`;
    case 'lied':
      return `${source} sent bytes that do not match the digest`;
  }
}

/** What a lookup came to. */
export function lookupWords({
  outcome,
  ...found
}: {
  readonly outcome: LookupOutcome;
  readonly sources: number;
}): string {
  switch (outcome) {
    case 'found':
      return found.sources === 1 ? '1 holder' : `${found.sources} holders`;
    case 'nobody':
      return 'nobody has it';
    case 'timeout':
      return 'no answer in time';
    case 'unreachable':
      return 'too few members could answer';
  }
}

/** What became of an object, in one phrase. */
export function outcomeWords({ end, status, sources }: Pick<ObjectView, 'end' | 'status' | 'sources'>): string {
  if (sources.some(({ source }) => source === 'upstream')) return 'nobody had it; it came from upstream';
  switch (end) {
    case null:
      return 'under way';
    case 'complete':
      return '';
    case 'not-found':
      return 'nobody had it; containerd was sent upstream';
    case 'filtered':
      return 'kept out by a filter; containerd was sent upstream';
    case 'switched-off':
      return 'switched off by the operator; containerd was sent upstream';
    case 'rejected':
      return `answered ${status ?? 'an error'}`;
    case 'cut':
      return 'ended early; containerd goes on upstream';
    case 'mismatch':
      return 'ended: its bytes did not match the digest';
    case 'hangup':
      return 'the client had what it wanted, or went away';
  }
}

/** `sha256:abcdef123456`; a tag as it is. */
export function shortKey(key: string): string {
  const digest = /^(sha\d+):([0-9a-f]{12})[0-9a-f]+$/.exec(key);
  return digest === null ? key : `${digest[1] ?? ''}:${digest[2] ?? ''}`;
}
