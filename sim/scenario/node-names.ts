import type { Scenario } from './scenario.ts';

/** How the node of this index is called; `upstream` is itself. */
export function nodeNameOf({ cluster }: Pick<Scenario, 'cluster'>, index: number | 'upstream'): string {
  return index === 'upstream' ? index : (cluster.nameOf?.[index] ?? `n${index}`);
}
