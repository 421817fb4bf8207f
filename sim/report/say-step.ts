import type { PullEvent } from '../../core/index.ts';

/** A step of a pull that went another way than straight ahead, in words; undefined for all that is as usual. */
export function sayStep(event: PullEvent): string | undefined {
  switch (event.type) {
    case 'attempt-failed':
      return `${event.source} failed after ${time(event.tookUs)}: ${event.reason}`;
    case 'stall':
      return `${event.source} sent nothing for ${time(event.waitedUs)}, at byte ${event.at}`;
    case 'switch':
      return `from ${event.from} to ${event.to} at byte ${event.at}: ${event.reason}`;
    case 'suspect':
      return `${event.source} is under suspicion, its proof: ${event.proof}`;
    case 'liar':
      return `${event.source} sent wrong bytes, and is out`;
    case 'lookup':
      return event.outcome === 'found' ? undefined : `nobody was found in ${time(event.tookUs)}: ${event.outcome}`;
    case 'end':
      return event.reason === 'complete' || event.reason === 'not-found'
        ? undefined
        : `the own mirror's answer ended: ${event.reason}, status ${event.status}`;
    default:
      return undefined;
  }
}

function time(us: number): string {
  return us < 1_000_000 ? `${Math.round(us / 1_000)} ms` : `${Math.round(us / 10_000) / 100} s`;
}
