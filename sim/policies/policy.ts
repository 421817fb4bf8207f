/** How images get to the nodes: the names that a run knows. */
export const policyNames = ['peili', 'noMirror'] as const;
export type PolicyName = (typeof policyNames)[number];
