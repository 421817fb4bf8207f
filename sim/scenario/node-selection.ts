import { didYouMean, ScenarioError, sayValue } from './scenario-error.ts';
import type { ScenarioPath } from './scenario-error.ts';
import { parsePercent } from './units.ts';

/** The nodes of a cluster by name, in their order. */
export interface NodeNames {
  readonly names: readonly string[];
  readonly zones: readonly string[];
  /** Of each group, which nodes are in it. */
  readonly groups: ReadonlyMap<string, readonly number[]>;
}

/** Nodes by what a file says of them: `all`, `n3`, a group, `zone a`, `first 5`, `last 5`, `25%`, or several of these. In the cluster's order, each once. */
export function selectNodes(
  cluster: NodeNames,
  wanted: readonly string[],
  except: readonly string[],
  path: ScenarioPath,
  field = 'on',
): readonly number[] {
  const all = (words: readonly string[], place: string): ReadonlySet<number> =>
    new Set(
      words.flatMap((word, index) => select(cluster, word, [...path, place, ...(words.length > 1 ? [index] : [])])),
    );
  const left = all(except, 'except');
  const chosen = all(wanted, field);
  const nodes = cluster.names.flatMap((_name, node) => (chosen.has(node) && !left.has(node) ? [node] : []));
  if (nodes.length === 0) throw new ScenarioError([...path, field], `${sayValue(wanted.join(', '))} leaves no node`);
  return nodes;
}

function select(cluster: NodeNames, word: string, path: ScenarioPath): readonly number[] {
  const { names, zones, groups } = cluster;
  const all = names.map((_name, node) => node);
  if (word === 'all') return all;
  const group = groups.get(word);
  if (group !== undefined) return group;
  const node = names.indexOf(word);
  if (node >= 0) return [node];
  const [, place = '', number = ''] = /^(first|last) (\d+)$/.exec(word) ?? [];
  if (place === 'first') return all.slice(0, Number(number));
  if (place === 'last') return all.slice(-Number(number));
  const percent = parsePercent(word);
  if (percent !== undefined) return all.filter((index) => stepsUp(index, percent));
  const [, zone] = /^zone (.+)$/.exec(word) ?? [];
  if (zone !== undefined && zones.includes(zone)) return all.filter((index) => zones[index] === zone);
  const known = [...groups.keys(), ...[...new Set(zones)].map((name) => `zone ${name}`), 'all', ...names.slice(0, 100)];
  throw new ScenarioError(
    path,
    `${sayValue(word)} is no node here${didYouMean(word, known)}: write all, ${names[0] ?? ''} to ${names.at(-1) ?? ''}, ${sayGroups(cluster)}first 5, last 5 or 25%`,
  );
}

function sayGroups({ groups, zones }: NodeNames): string {
  const [group] = groups.keys();
  return `${group === undefined ? '' : `${group}, `}zone ${zones[0] ?? ''}, `;
}

/** Spreads a share evenly over all: the 2nd, 4th, ... of 50%. */
function stepsUp(index: number, percent: number): boolean {
  return Math.floor(((index + 1) * percent) / 100) > Math.floor((index * percent) / 100);
}
