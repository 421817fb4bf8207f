import type { Connection } from '@libp2p/interface';
import { compareDistance } from './peer-ids.ts';

export interface PrunedConnection {
  readonly connection: Connection;
  readonly position: Uint8Array | undefined;
  readonly usedAtUs: number;
}

/** This node's own neighbours in key space, who share its keys: kept whatever their use. */
const neighboursKept = 16;

/** Which connections to close so that at most `connectionsMax` stay: the longest unused first, strangers before members. */
export function connectionsToClose(
  open: readonly PrunedConnection[],
  self: Uint8Array,
  connectionsMax: number,
): readonly Connection[] {
  const excess = open.length - connectionsMax;
  if (excess <= 0) return [];
  const neighbours = new Set(
    open
      .filter(({ position }) => position !== undefined)
      .toSorted((a, b) => compareDistance(self, a.position ?? self, b.position ?? self))
      .slice(0, Math.min(neighboursKept, Math.floor(connectionsMax / 2))),
  );
  return open
    .filter((candidate) => !neighbours.has(candidate))
    .toSorted((a, b) => a.usedAtUs - b.usedAtUs)
    .slice(0, excess)
    .map(({ connection }) => connection);
}
