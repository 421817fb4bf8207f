import type { RecordEntry, RoutingKey } from '../ports/index.ts';
import type { Holding } from './holdings.ts';

/** What is said to one member in one go. */
export interface Statement {
  /** Everything there is to say: what was said before is void. */
  readonly complete: boolean;
  readonly add: readonly RecordEntry[];
  readonly withdraw: readonly RoutingKey[];
}

/** Everything that a member is to keep. */
export function completeStatement(
  keys: ReadonlySet<RoutingKey>,
  holdings: ReadonlyMap<RoutingKey, Holding>,
  wallUs: number,
): Statement {
  const add: RecordEntry[] = [];
  for (const key of keys) {
    const holding = holdings.get(key);
    if (holding !== undefined) add.push(entryOf(key, holding, wallUs));
  }
  return { complete: true, add, withdraw: [] };
}

/**
 * What has changed for a member. A key that it was told and that has changed is withdrawn there if it is gone, or if other members are nearer by now;
 * a key that is merely displaced stays until it expires or everything is said again.
 */
export function changeStatement(
  changed: ReadonlySet<RoutingKey>,
  told: ReadonlySet<RoutingKey>,
  keys: ReadonlySet<RoutingKey>,
  holdings: ReadonlyMap<RoutingKey, Holding>,
  wallUs: number,
): Statement {
  const add: RecordEntry[] = [];
  const withdraw: RoutingKey[] = [];
  for (const key of changed) {
    const holding = keys.has(key) ? holdings.get(key) : undefined;
    if (holding !== undefined) add.push(entryOf(key, holding, wallUs));
    else if (told.has(key)) withdraw.push(key);
  }
  return { complete: false, add, withdraw };
}

export function isEmpty({ complete, add, withdraw }: Statement): boolean {
  return !complete && add.length === 0 && withdraw.length === 0;
}

/** The statement in parts that fit a message each. Only the first can be complete: it makes void what came before it, not what follows. */
export function partsOf(statement: Statement, bytesMax: number): Statement[] {
  // As nearly all of them.
  if (bytesOf(statement) <= bytesMax) return [statement];
  const parts: Statement[] = [];
  let part: { complete: boolean; add: RecordEntry[]; withdraw: RoutingKey[] } = begin(statement.complete);
  let bytes = frameBytes;
  const makeRoom = (needed: number): void => {
    if (bytes + needed > bytesMax && bytes > frameBytes) {
      parts.push(part);
      part = begin(false);
      bytes = frameBytes;
    }
    bytes += needed;
  };
  for (const key of statement.withdraw) {
    makeRoom(keyBytes);
    part.withdraw.push(key);
  }
  for (const entry of statement.add) {
    makeRoom(entryBytes(entry));
    part.add.push(entry);
  }
  parts.push(part);
  return parts;
}

function bytesOf({ add, withdraw }: Statement): number {
  let bytes = frameBytes + keyBytes * withdraw.length;
  for (const entry of add) bytes += entryBytes(entry);
  return bytes;
}

/** Upper bounds of what the encodings in use make of it: a key as text with its framing, a digest as text, an age as digits. */
const frameBytes = 256;
const keyBytes = 80;
const tagBytes = 48;

function entryBytes({ tag }: RecordEntry): number {
  return keyBytes + (tag === undefined ? 0 : tagBytes + tag.digest.length);
}

function begin(complete: boolean): { complete: boolean; add: RecordEntry[]; withdraw: RoutingKey[] } {
  return { complete, add: [], withdraw: [] };
}

function entryOf(key: RoutingKey, { tag }: Holding, wallUs: number): RecordEntry {
  if (tag === undefined) return { key };
  // A wall clock that was set back must not make an age negative.
  return { key, tag: { digest: tag.digest, ageUs: Math.max(0, Math.round(wallUs - tag.resolvedAtUs)) } };
}
