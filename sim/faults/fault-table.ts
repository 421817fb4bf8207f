import type { FaultKind } from './fault.ts';

/** What is known of a kind of fault, besides what it does. */
export interface FaultRow {
  /** What it can happen to: nodes, or the upstream too. */
  readonly targets: 'node' | 'both';
  /** Who holds what may not be found while it lasts, and for a while after it. */
  readonly hides: boolean;
  /** The mirror is gone, or nothing reaches it. */
  readonly isAway: boolean;
  /** The node itself reaches nobody, or stands still: its own pulls may fail. */
  readonly cutsOff: boolean;
  /** Its own pulls may not end as long as it lasts. */
  readonly blocks: boolean;
  /** Its store loses content: when it begins, or by its end. */
  readonly loses: 'begin' | 'end' | undefined;
  /** What it serves, says or is told may be wrong. */
  readonly lies: boolean;
}

const node: FaultRow = {
  targets: 'node',
  hides: false,
  isAway: false,
  cutsOff: false,
  blocks: false,
  loses: undefined,
  lies: false,
};
const away: FaultRow = { ...node, hides: true, isAway: true };
const cutOff: FaultRow = { ...away, cutsOff: true, blocks: true };
const hiding: FaultRow = { ...node, hides: true };

/** All kinds of fault. What each does stands in `docs/reference/faults.md`. */
export const faultTable: Readonly<Record<FaultKind['kind'], FaultRow>> = {
  crash: away,
  'crash-empty': { ...away, loses: 'end' },
  rename: away,
  pause: { ...away, blocks: true },
  drain: away,
  'slow-cpu': { ...hiding, blocks: true },
  'pause-node': cutOff,
  vanish: { ...cutOff, loses: 'begin' },
  absent: { ...cutOff, loses: 'begin' },
  unplug: { ...cutOff, targets: 'both' },
  rate: { ...node, targets: 'both', blocks: true },
  latency: { ...hiding, targets: 'both', blocks: true },
  cut: hiding,
  http: { ...node, targets: 'both', lies: true },
  corrupt: { ...hiding, lies: true },
  'remove-layers': { ...node, loses: 'begin' },
  'read-error': hiding,
  truncate: hiding,
  'slow-disk': hiding,
  'store-events': hiding,
  'mute-records': hiding,
  records: { ...hiding, lies: true },
  names: hiding,
  forget: hiding,
  island: hiding,
  wall: node,
  drift: hiding,
};
