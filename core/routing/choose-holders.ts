import type { Random } from '../ports/index.ts';
import type { SenderRecords } from './sender-records.ts';

/**
 * From so many free slots on a holder counts as free: what it last said is up to minutes old, and a finer order would send everybody to the same few.
 */
const plentySlots = 64;
/** A holder that does not say (Spegel) stands between the full and the free. */
const unknownSlots = 4;
const ranks = 2 * 8;

/** At most `count` of the holders: the asker's zone first, then the freest, chance among equals. */
export function chooseHolders(
  holders: readonly SenderRecords[],
  zone: string,
  count: number,
  random: Random,
): SenderRecords[] {
  const byRank: SenderRecords[][] = Array.from({ length: ranks }, () => []);
  for (const holder of holders) byRank[rankOf(holder, zone)]?.push(holder);
  const chosen: SenderRecords[] = [];
  for (const equals of byRank.reverse()) {
    if (chosen.length >= count) break;
    chosen.push(...drawn(equals, count - chosen.length, random));
  }
  return chosen;
}

/** Higher is better: the zone outweighs the slots, and slots count by their magnitude. */
function rankOf({ member, freeSlots }: SenderRecords, zone: string): number {
  const slots = Math.min(freeSlots ?? unknownSlots, plentySlots);
  const magnitude = 32 - Math.clz32(slots);
  return magnitude + (zone !== '' && member.zone === zone ? ranks / 2 : 0);
}

/** `count` of the items in random order; the array is the caller's to lose. */
function drawn<T>(items: T[], count: number, random: Random): T[] {
  const wanted = Math.min(count, items.length);
  for (let index = 0; index < wanted && index < items.length - 1; index += 1) {
    const other = index + random.below(items.length - index);
    const [a, b] = [items[index], items[other]];
    if (a === undefined || b === undefined) continue;
    items[index] = b;
    items[other] = a;
  }
  return items.slice(0, wanted);
}
