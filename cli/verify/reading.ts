import { PeiliError, reasonOf } from '../../core/index.ts';
import type { Reading } from './check.ts';

/** A value, or in words why there is none: what is not seen is no failure of verify. Only an abort of `signal` rejects. */
export async function reading<T>(signal: AbortSignal, look: () => Promise<T>): Promise<Reading<T>> {
  try {
    return { type: 'read', value: await look() };
  } catch (error) {
    signal.throwIfAborted();
    return { type: 'failed', reason: wordsOf(error) };
  }
}

/** What a reader can do something with: our message, the system's words, the cause that `fetch` hides. */
function wordsOf(error: unknown): string {
  if (error instanceof PeiliError) {
    // The system's words for a socket that does not answer.
    const { cause } = error.details;
    return typeof cause === 'string' ? cause : error.message;
  }
  if (!(error instanceof Error)) return reasonOf(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  const cause = error.cause instanceof Error ? error.cause : error;
  // Refused at several addresses of one name, fetch has a list of causes without words of its own.
  if (cause.message === '' && 'code' in cause && typeof cause.code === 'string') return cause.code;
  // Without the call and the path, which are said beside it.
  return cause.message.replace(/, \w+ '.*'$/, '');
}
