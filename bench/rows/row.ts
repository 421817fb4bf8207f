import type { Bench } from '../bench.ts';
import type { Line, RowName } from '../measurement.ts';

/** Rows that are measured in one go: they share what they start. */
export interface RowGroup {
  readonly rows: readonly RowName[];
  readonly measure: (bench: Bench, wanted: ReadonlySet<RowName>) => Promise<readonly Line[]>;
}
