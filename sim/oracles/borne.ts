import type { Fault } from '../faults/fault.ts';

/** As long as this a store may be late, and what a node has is still known in time. */
const lateUs = 2_000_000;

/** What members and their records are to bear, without anything untrue being said of anybody or anything that is there not being found. */
export function isBorne({ what }: Fault): boolean {
  switch (what.kind) {
    case 'records':
      return what.fault.kind === 'again';
    case 'store-events':
      return what.how !== 'lost' && (what.delayUs ?? 0) <= lateUs;
    default:
      return isOfFile({ what });
  }
}

/** One file of a node cannot be read as far as it goes: nobody else is concerned, and others have it. */
export function isOfFile({ what }: Pick<Fault, 'what'>): boolean {
  return what.kind === 'read-error' || what.kind === 'truncate';
}
