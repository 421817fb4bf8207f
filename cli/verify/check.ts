import type { ImageObject } from './facts.ts';

/** `unknown`: it could not be found out, which is no fault by itself. `skipped`: it makes no sense to look, or nobody asked. */
export type CheckStatus = 'ok' | 'wrong' | 'unknown' | 'skipped';

export type CheckName =
  'containerd' | 'config-path' | 'layers' | 'content' | 'hosts' | 'mirror' | 'ready' | 'members' | 'canary' | 'image';

/** What was looked at, what was seen, and what to do about it. */
export interface Check {
  readonly name: CheckName;
  readonly status: CheckStatus;
  /** One sentence: what was seen. */
  readonly seen: string;
  /** What to do, for what is wrong or unknown. */
  readonly mend?: string;
  /** Lines below it. */
  readonly lines?: readonly string[];
  /** Of the image: the same as values. */
  readonly objects?: readonly ImageObject[];
}

/** What came out of looking: a value, or why there is none. */
export type Reading<T> =
  { readonly type: 'read'; readonly value: T } | { readonly type: 'failed'; readonly reason: string };

export type Judged = Omit<Check, 'name'>;

export function ok(seen: string, lines: readonly string[] = []): Judged {
  return { status: 'ok', seen, ...(lines.length === 0 ? {} : { lines }) };
}

export function wrong(seen: string, mend: string, lines: readonly string[] = []): Judged {
  return { status: 'wrong', seen, mend, ...(lines.length === 0 ? {} : { lines }) };
}

export function unknown(seen: string, mend: string): Judged {
  return { status: 'unknown', seen, mend };
}

export function skipped(seen: string): Judged {
  return { status: 'skipped', seen };
}
