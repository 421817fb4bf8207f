import type { Trace } from '../run/trace.ts';
import { probes } from './catalogue.ts';

/** Notes what one run comes across: each name once. */
export function watchProbes(trace: Trace): () => readonly string[] {
  const seen = new Set<string>();
  const derived = Object.entries(probes).flatMap(([name, { isIn }]) => (isIn === undefined ? [] : [{ name, isIn }]));
  trace.watch((event) => {
    if (event.type === 'bytes') return;
    if (event.type === 'probe') seen.add(event.name);
    else for (const { name, isIn } of derived) if (!seen.has(name) && isIn(event)) seen.add(name);
  });
  return () => [...seen];
}

export interface ProbeReport {
  readonly name: string;
  readonly kind: 'sometimes' | 'unreachable';
  /** Runs that saw it. */
  readonly runs: number;
  readonly why: string;
}

/** Every declared probe with its count, and those that no row declares: a name that is not in the catalogue is an error of the catalogue. */
export class ProbeTally {
  readonly #runs = new Map<string, number>(Object.keys(probes).map((name) => [name, 0]));

  add(seen: readonly string[]): void {
    for (const name of seen) this.#runs.set(name, (this.#runs.get(name) ?? 0) + 1);
  }

  report(): readonly ProbeReport[] {
    return [...this.#runs].map(([name, runs]) => {
      const { kind = 'unreachable', why = 'no row of sim/probes/catalogue.ts declares it' } = probes[name] ?? {};
      return { name, kind, runs, why };
    });
  }
}

/** What a campaign of enough runs may not be silent about: a `sometimes` never seen, an `unreachable` seen. */
export function missingIn(report: readonly ProbeReport[]): readonly ProbeReport[] {
  return report.filter(({ kind, runs }) => (kind === 'sometimes' ? runs === 0 : runs > 0));
}
