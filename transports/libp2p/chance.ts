import type { Random } from '../../core/index.ts';

/** Between half and one and a half of it, so that many nodes do not do the same at once. */
export function jittered(delayUs: number, random: Random): number {
  return Math.floor(delayUs / 2) + random.below(Math.max(1, Math.floor(delayUs)));
}

/** Some of the items, at most `count`, each as likely as another. */
export function sampleOf<T>(items: readonly T[], count: number, random: Random): T[] {
  const rest = [...items];
  const sample: T[] = [];
  while (sample.length < count && rest.length > 0) sample.push(...rest.splice(random.below(rest.length), 1));
  return sample;
}

export function chooseOne<T>(items: readonly T[], random: Random): T | undefined {
  return items.length === 0 ? undefined : items[random.below(items.length)];
}
