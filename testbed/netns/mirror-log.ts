import { readFile } from 'node:fs/promises';

/** A line of a mirror's log: JSON with time, level and msg, and what belongs to it. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level?: string; readonly msg?: string };

/** A line of the request log, `--request-log`: one request from its start to its end (`cli/pull-summaries.ts`). */
export interface MirrorPull {
  readonly pullId: number;
  readonly asker: 'client' | 'mirror';
  readonly method: string;
  readonly resource: 'manifest' | 'blob';
  readonly key: string;
  readonly registry?: string;
  readonly repository: string;
  readonly range?: string;
  readonly status: number;
  /** How it ended: `complete`, `cut`, `mismatch`, `hangup`, `not-found` ... */
  readonly end: string;
  readonly bytes: number;
  readonly tookMs: number;
  /** Bytes by source: a node's name, or `local`. */
  readonly sources: Readonly<Record<string, number>>;
  readonly lookup?: { readonly outcome: string; readonly sources: number; readonly tookMs: number };
  readonly notes?: readonly Readonly<Record<string, unknown>>[];
}

/** What was logged so far. Lines that are no JSON (a crash's stack) come as their text. */
export async function readLog(file: string): Promise<readonly LogLine[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line): LogLine => {
    try {
      const parsed: unknown = JSON.parse(line);
      // An object: its fields are looked at by who knows the line.
      return typeof parsed === 'object' && parsed !== null ? (parsed as LogLine) : { msg: line };
    } catch {
      return { msg: line };
    }
  });
}

/** The requests that have ended, with members by the names of their nodes. */
export function pullsIn(lines: readonly LogLine[], nameOf: (memberId: string) => string): readonly MirrorPull[] {
  return lines
    .filter((line) => line.msg === 'pull' && 'pullId' in line)
    .map((line) => {
      // `peili registry --request-log true` writes such lines with these fields.
      const pull = line as unknown as MirrorPull;
      const sources = Object.entries(pull.sources).map(([id, bytes]) => [nameOf(id), bytes] as const);
      return { ...pull, sources: Object.fromEntries(sources) };
    });
}

/** Bytes given to this node's clients, by source. */
export function clientBytesBySource(pulls: readonly MirrorPull[]): Readonly<Record<string, number>> {
  const total: Record<string, number> = {};
  for (const { asker, sources } of pulls) {
    if (asker !== 'client') continue;
    for (const [source, bytes] of Object.entries(sources)) total[source] = (total[source] ?? 0) + bytes;
  }
  return total;
}
