import { PeiliError } from '../core/index.ts';
import { parseDurationUs, parseInteger } from './go-values.ts';

/** Values of flags. What is wrong is `OPTION_INVALID`: one sentence with the flag and the value. */
export function durationUs(flag: string, text: string): number {
  return flagged(flag, text, parseDurationUs);
}

export function whole(flag: string, text: string, min: number, max: number): number {
  return flagged(flag, text, parseInteger(min, max));
}

function flagged(flag: string, text: string, parse: (text: string) => number): number {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof PeiliError)) throw error;
    throw new PeiliError('OPTION_INVALID', `${flag} ${JSON.stringify(text)}: ${error.message}`, {}, error);
  }
}
