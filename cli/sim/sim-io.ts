import type { Terminal } from '../terminal.ts';

/** Where a simulation is printed, and what ends it early. */
export interface SimIo {
  readonly version: string;
  readonly signal: AbortSignal;
  /** Columns of the screen; infinite where what is printed goes to a file or another program. */
  readonly width: number;
  readonly writeOut: (text: string) => void;
  /** Progress and complaints: apart from what is printed. */
  readonly progress: Terminal;
}
