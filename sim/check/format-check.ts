import { formatTraceText } from '../run/trace-lines.ts';
import type { CheckedEvent, CheckReport } from './check-determinism.ts';

/** What a check has found, in lines for people. */
export function formatCheck({ scenario, seed, runs, divergence }: CheckReport): readonly string[] {
  const [first] = runs;
  const lines = runs.map(
    ({ drain, hash, failure, events }, index) =>
      `run ${index + 1}  ${drain.padEnd(9)}  ${hash ?? `failed: ${failure ?? ''}`}  ${events} events`,
  );
  if (divergence === undefined) return [...lines, `${scenario}, seed ${seed}: the same run ${runs.length} times`];
  const { run, before, first: one, other, isFirstRepeatable } = divergence;
  const at = one[0] ?? other[0];
  const where = at === undefined ? 'at their end' : `in event #${at.ordinal}, at ${at.atUs / 1_000_000} s`;
  return [
    ...lines,
    `${scenario}, seed ${seed}: run ${run} is another one than run 1, first ${where}`,
    ...before.map((event) => `    ${formatLine(event)}`),
    ...side('1', one),
    ...side(String(run), other),
    ...(isFirstRepeatable || first === undefined
      ? []
      : ['What stands here for run 1 is of a later run: done again, it was another one once more.']),
  ];
}

function side(label: string, events: readonly CheckedEvent[]): readonly string[] {
  if (events.length === 0) return [`${label} > (had ended)`];
  return events.map((event, index) => `${label} ${index === 0 ? '>' : ' '} ${formatLine(event)}`);
}

function formatLine(event: CheckedEvent): string {
  if (event.type !== 'event') return formatTraceText(event);
  const seconds = (event.atUs / 1_000_000).toFixed(6).padStart(12);
  return `${seconds} ${`#${event.ordinal}`.padStart(8)}  (event, scheduled as number ${event.sequence})`;
}
