/** Deterministic chance, split into substreams by label so that one more draw here does not change the draws there. */
export interface Random {
  /** The next integer in [0, bound). `bound` is an integer from 1 to 2^32. */
  below(bound: number): number;
  /** An independent stream. The same label of the same parent is the same stream, however much the parent has drawn. */
  fork(label: string): Random;
}
