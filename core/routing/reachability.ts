import type { Limits } from '../limits.ts';

/**
 * Which members did not answer lately. No failure detector: it only decides who is asked first, and any sign of life clears it.
 */
export interface Reachability {
  /** A call failed: suspect for `memberRetryUs`. */
  failed(id: string, nowUs: number): void;
  /** Others answered a lookup and this member did not in time: suspect after `silentLookupsMax` in a row. */
  silent(id: string, nowUs: number): void;
  /** It answered, asked or told something. */
  heard(id: string): void;
  isSuspect(id: string, nowUs: number): boolean;
  /** Calls back when a suspect is heard again. */
  onRecovery(listener: (id: string) => void): () => void;
}

interface Standing {
  readonly silences: number;
  readonly suspectUntilUs: number;
}

export function createReachability(limits: Limits): Reachability {
  const standings = new Map<string, Standing>();
  const listeners = new Set<(id: string) => void>();

  const set = (id: string, standing: Standing): void => {
    standings.delete(id);
    standings.set(id, standing);
    if (standings.size <= limits.membersMax) return;
    const oldest = standings.keys().next();
    if (oldest.done !== true) standings.delete(oldest.value);
  };

  return {
    failed: (id, nowUs) => {
      set(id, { silences: 0, suspectUntilUs: nowUs + limits.memberRetryUs });
    },
    silent: (id, nowUs) => {
      const silences = (standings.get(id)?.silences ?? 0) + 1;
      const isSuspect = silences >= limits.silentLookupsMax;
      set(id, { silences, suspectUntilUs: isSuspect ? nowUs + limits.memberRetryUs : 0 });
    },
    heard: (id) => {
      const standing = standings.get(id);
      if (standing === undefined) return;
      standings.delete(id);
      if (standing.suspectUntilUs > 0) for (const listener of listeners) listener(id);
    },
    isSuspect: (id, nowUs) => nowUs < (standings.get(id)?.suspectUntilUs ?? 0),
    onRecovery: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
