import type { Bench } from '../bench.ts';
import type { Line, RowName } from '../measurement.ts';

/** Rows that are measured in one go: they share what they start. */
export interface RowGroup {
  readonly rows: readonly RowName[];
  /** Containerd nodes, which take root and a capsule; else all is on loopback. */
  readonly onNodes?: true;
  readonly measure: (bench: Bench, wanted: ReadonlySet<RowName>) => Promise<readonly Line[]>;
}
