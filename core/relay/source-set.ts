import type { Holder, Member, SourceId } from '../ports/index.ts';

/** Who may give bytes of one key. */
export interface Source {
  readonly id: SourceId;
  readonly member: Member;
  readonly tag: Holder['tag'];
  readonly freeSlots: number | undefined;
  /** Drawn once: equals share the load. */
  readonly rank: number;
}

/** The sources of one request: filled by lookups and proofs while a race goes on and a body flows. */
export interface SourceSet {
  all(): readonly Source[];
  /** More may come. */
  isOpen(): boolean;
  /** Those that are not there yet, up to the set's limit, in the place of spent ones if need be; who watches is called once for all of them. */
  add(sources: readonly Source[]): void;
  /** Keeps the set open until the returned function is called. */
  hold(): () => void;
  /** Calls back after every change. */
  watch(listener: () => void): () => void;
}

/** @param isSpent whether a source has failed: it may make room for another. */
export function createSourceSet(sourcesMax: number, isSpent: (id: SourceId) => boolean): SourceSet {
  const sources = new Map<SourceId, Source>();
  const listeners = new Set<() => void>();
  const holds = new Set<object>();
  const changed = (): void => {
    for (const listener of [...listeners]) listener();
  };
  const makeRoom = (): boolean => {
    if (sources.size < sourcesMax) return true;
    const spent = [...sources.keys()].find(isSpent);
    return spent !== undefined && sources.delete(spent);
  };
  return {
    all: () => [...sources.values()],
    isOpen: () => holds.size > 0,
    add: (added) => {
      let hasChanged = false;
      for (const source of added) {
        if (sources.has(source.id) || !makeRoom()) continue;
        sources.set(source.id, source);
        hasChanged = true;
      }
      if (hasChanged) changed();
    },
    hold: () => {
      const hold = {};
      holds.add(hold);
      return () => {
        if (holds.delete(hold)) changed();
      };
    },
    watch: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
