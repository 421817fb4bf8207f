import { mixed } from './mixed.ts';
import { noMirror, peili } from './peili.ts';
import type { Policy } from './policy.ts';
import { spegelLike } from './spegel/spegel-like.ts';
import { binomialTree } from './tree/tree-mirror.ts';

const spegel = spegelLike('0.7');

/** The policies that can be named. */
export const policies = {
  peili,
  noMirror,
  spegelLike: { ...spegel, name: 'spegelLike' },
  'spegelLike-0.4': spegelLike('0.4'),
  'spegelLike-0.6': spegelLike('0.6'),
  'spegelLike-0.7': spegel,
  /** Every second node has Spegel's. */
  halfSpegel: mixed('halfSpegel', (node) => (node % 2 === 0 ? peili : spegel)),
  binomialTree,
} as const satisfies Readonly<Record<string, Policy>>;

export type PolicyName = keyof typeof policies;

export const policyNames: readonly PolicyName[] = Object.keys(policies).filter(isPolicyName);

function isPolicyName(name: string): name is PolicyName {
  return Object.hasOwn(policies, name);
}
