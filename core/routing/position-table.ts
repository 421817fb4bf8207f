import { positionWords, wordsOf } from './routing-key.ts';
import type { Position } from './routing-key.ts';

/** Items with a position each, searched by XOR distance. A linear scan over words: 400 items take about a microsecond. */
export interface PositionTable<T> {
  readonly size: number;
  add(item: T, position: Uint8Array): void;
  /** Removes the first item that matches; false if none does. */
  remove(matches: (item: T) => boolean): boolean;
  /** The `count` items nearest to `target`, nearest first; fewer if there are fewer. */
  nearest(target: Position, count: number): T[];
}

/** `expected`: how many items there will be, if that is known: more cost a copy of the table now and then. */
export function createPositionTable<T>(expected = 0): PositionTable<T> {
  const items: T[] = [];
  let words = new Uint32Array(expected * positionWords);

  const grow = (): void => {
    const rows = Math.max(16, items.length + (items.length >> 1));
    const larger = new Uint32Array(rows * positionWords);
    larger.set(words);
    words = larger;
  };

  return {
    get size() {
      return items.length;
    },
    add: (item, position) => {
      if ((items.length + 1) * positionWords > words.length) grow();
      words.set(wordsOf(position), items.length * positionWords);
      items.push(item);
    },
    remove: (matches) => {
      const index = items.findIndex(matches);
      const last = items.pop();
      if (index < 0 || last === undefined) {
        if (last !== undefined) items.push(last);
        return false;
      }
      if (index < items.length) {
        items[index] = last;
        words.copyWithin(index * positionWords, items.length * positionWords, (items.length + 1) * positionWords);
      }
      return true;
    },
    nearest: (target, count) => {
      const chosen: T[] = [];
      for (const index of nearestIndexes(words, items.length, target, count)) {
        const item = items[index];
        if (item !== undefined) chosen.push(item);
      }
      return chosen;
    },
  };
}

/** Whether `a` is nearer to `target` than `b` by XOR. Equal positions: neither is. */
export function isNearer(target: Position, a: Position, b: Position): boolean {
  return compareAt(target, a, 0, b, 0) < 0;
}

/** The rows of the nearest positions, kept sorted by insertion: `count` is small. The first word nearly always decides. */
function nearestIndexes(words: Uint32Array, size: number, target: Position, count: number): number[] {
  const best: number[] = [];
  if (count <= 0) return best;
  const first = target[0] ?? 0;
  let worst = 0;
  for (let index = 0; index < size; index += 1) {
    const distance = ((words[index * positionWords] ?? 0) ^ first) >>> 0;
    if (best.length === count && distance > worst) continue;
    let at = best.length;
    while (at > 0 && compareRows(target, words, index, best[at - 1] ?? 0) < 0) at -= 1;
    if (at === count) continue;
    // Those behind it move on; where all places are taken, the last one goes.
    for (let behind = Math.min(best.length, count - 1); behind > at; behind -= 1) best[behind] = best[behind - 1] ?? 0;
    best[at] = index;
    worst = ((words[(best[best.length - 1] ?? 0) * positionWords] ?? 0) ^ first) >>> 0;
  }
  return best;
}

function compareRows(target: Position, words: Uint32Array, a: number, b: number): number {
  return compareAt(target, words, a * positionWords, words, b * positionWords);
}

function compareAt(target: Position, a: Uint32Array, aOffset: number, b: Uint32Array, bOffset: number): number {
  for (let index = 0; index < positionWords; index += 1) {
    const word = target[index] ?? 0;
    const aDistance = ((a[aOffset + index] ?? 0) ^ word) >>> 0;
    const bDistance = ((b[bOffset + index] ?? 0) ^ word) >>> 0;
    if (aDistance !== bDistance) return aDistance < bDistance ? -1 : 1;
  }
  return 0;
}
