import type { Observer, PullStep } from '../core/index.ts';

/** Tells an observer one pull: the steps after its start. */
export function tellPull(
  observer: Observer,
  pullId: number,
  start: Partial<PullStep & { readonly type: 'start' }>,
  steps: readonly PullStep[],
): void {
  const base = {
    type: 'start',
    method: 'GET',
    resource: 'blob',
    key: 'sha256:ab',
    registry: 'docker.io',
    repository: 'library/demo',
    mirrored: false,
    range: undefined,
  } as const;
  for (const step of [{ ...base, ...start }, ...steps]) observer.onPull({ pullId, atUs: 0, ...step });
}

/** A pull from two peers: a hedge, a stall, a switch. */
export const relayedSteps: readonly PullStep[] = [
  { type: 'lookup', sources: 2, tookUs: 3000, outcome: 'found' },
  { type: 'attempt', source: 'peer-a', zone: '', from: 0, hedge: false },
  { type: 'attempt', source: 'peer-b', zone: '', from: 0, hedge: true },
  { type: 'head', source: 'peer-a', status: 206, sizeBytes: 100, tookUs: 100 },
  { type: 'bytes', source: 'peer-a', from: 0, to: 60 },
  { type: 'stall', source: 'peer-a', at: 60, waitedUs: 2_000_000 },
  { type: 'attempt-failed', source: 'peer-a', reason: 'PEER_STALLED', tookUs: 2_000_000 },
  { type: 'switch', from: 'peer-a', to: 'peer-b', at: 60, reason: 'PEER_STALLED' },
  { type: 'resume', source: 'peer-b', at: 60 },
  { type: 'head', source: 'peer-b', status: 206, sizeBytes: 100, tookUs: 100 },
  { type: 'bytes', source: 'peer-b', from: 60, to: 100 },
  { type: 'end', reason: 'complete', status: 200, bytes: 100, tookUs: 2_100_000 },
];
