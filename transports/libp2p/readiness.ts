import type { Observer } from '../../core/index.ts';
import type { BootstrapOptions } from './bootstrap.ts';
import type { MemberTable } from './member-table.ts';

export interface RouterReadiness {
  readonly ready: boolean;
  readonly reason: string;
}

export interface ReadinessDeps {
  readonly observer: Observer;
  readonly table: MemberTable;
  readonly isSelfTheOnlyEntry: () => boolean;
}

/** Ready: a member is known, or there is nobody to know. `report` tells the observer what has changed. */
export function createReadiness(
  { observer, table, isSelfTheOnlyEntry }: ReadinessDeps,
  bootstrapKind: BootstrapOptions['kind'],
): { now(): RouterReadiness; report(): void } {
  let wasReady = false;
  let isTelling = false;
  const now = (): RouterReadiness => {
    if (bootstrapKind === 'none') return { ready: true, reason: 'no bootstrap: alone by choice' };
    const met = Array.from(table.all()).filter((entry) => entry.met).length;
    if (met > 0) return { ready: true, reason: `members met: ${met}` };
    if (isSelfTheOnlyEntry()) return { ready: true, reason: 'bootstrap names this node alone' };
    return { ready: false, reason: 'no member met yet' };
  };
  const tell = (): void => {
    isTelling = false;
    const members = table.members();
    const connected = members.filter((member) => member.connected).length;
    observer.onNode({ type: 'members', total: members.length, connected });
    const readiness = now();
    if (readiness.ready === wasReady) return;
    wasReady = readiness.ready;
    observer.onNode({ type: 'ready', ...readiness });
  };
  return {
    now,
    report: () => {
      if (isTelling) return;
      isTelling = true;
      queueMicrotask(tell); // One answer may name thousands of members, and a report looks at all of them.
    },
  };
}
