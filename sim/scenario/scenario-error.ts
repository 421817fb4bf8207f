/** A place in a scenario file: `cluster.nodes[1].up`. */
export type ScenarioPath = readonly (string | number)[];

/** What is wrong in a scenario, in one sentence: where, the value, and what is allowed. */
export class ScenarioError extends Error {
  readonly path: ScenarioPath;
  /** What is wrong, without the place. */
  readonly problem: string;

  constructor(path: ScenarioPath, problem: string) {
    super(path.length === 0 ? problem : `${formatPath(path)}: ${problem}`);
    this.name = 'ScenarioError';
    this.path = path;
    this.problem = problem;
  }
}

export function formatPath(path: ScenarioPath): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('');
}

const shownMax = 60;

/** A value as it may stand in a sentence. */
export function sayValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
}

/** `a, b or c`. */
export function sayOneOf(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} or ${last}`;
}

/** ` (did you mean up?)`, where one of the names is near; else nothing. */
export function didYouMean(given: string, names: readonly string[]): string {
  const near = names
    .map((name) => ({ name, distance: distanceOf(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(Math.max(name.length, given.length) / 3)))
    .sort((a, b) => a.distance - b.distance)[0];
  return near === undefined ? '' : ` (did you mean ${near.name}?)`;
}

/** Letters to add, take away, change, or let change places with the next one. */
function distanceOf(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min((last[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) next[j] = Math.min(next[j] ?? 0, (before[j - 2] ?? 0) + 1);
    }
    before = last;
    last = next;
  }
  return last[b.length] ?? 0;
}
