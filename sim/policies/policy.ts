/** How images get to the nodes: the names that a run knows. */
export type PolicyName = 'peili' | 'noMirror';
