import type { Violation } from '../oracles/oracle.ts';
import type { Found } from '../hunt/hunt.ts';

/** What a thread of a hunt is told, one at a time. */
export type HuntOrder =
  | { readonly type: 'try'; readonly id: number; readonly seed: number; readonly isChecked: boolean }
  | { readonly type: 'shrink'; readonly id: number; readonly seed: number; readonly violation: Violation };

/** What it tells. */
export type HuntReport =
  | {
      readonly type: 'tried';
      readonly id: number;
      readonly violation: Violation | undefined;
      readonly events: number;
      readonly probes: readonly string[];
    }
  | { readonly type: 'shrunk'; readonly id: number; readonly found: Found };
