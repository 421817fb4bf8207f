import { parseArgs } from 'node:util';
import { rowNames } from './measurement.ts';
import type { RowName } from './measurement.ts';

export interface BenchArguments {
  readonly rows: ReadonlySet<RowName>;
  readonly rounds: number | undefined;
  readonly json: boolean;
  readonly quick: boolean;
  /** Other mirrors: a name and its program. */
  readonly peers: readonly { readonly name: string; readonly program: string }[];
  /** Where node leaves CPU profiles of our nodes. */
  readonly profile: string | undefined;
  /** On containerd nodes: a pull that takes longer has failed. */
  readonly patienceMs: number;
}

const patienceSeconds = '20';

export const usage = `npm run bench -- [options]

  --rows <a,b,...>        measure these rows only: ${rowNames.join(', ')}
  --rounds <n>            so many interleaved rounds instead of each row's own number
  --quick                 small blobs and few rounds: shows that it works, its figures are no results
  --json                  the last line is one JSON document
  --peer <name=program>   another mirror in the same call; may be repeated (docs/benchmarks.md)
  --profile <directory>   node writes a CPU profile of each of our nodes there
  --patience <seconds>    rows on containerd nodes: a pull that takes longer has failed (${patienceSeconds})
`;

/** Throws a TypeError that says what to change. */
export function parseArguments(args: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      peer: { type: 'string', multiple: true, default: [] },
      profile: { type: 'string' },
      patience: { type: 'string', default: patienceSeconds },
    },
  });
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0 && rounds <= 99)) {
    throw new TypeError(`--rounds ${values.rounds}: give a number from 1 to 99`);
  }
  const patienceMs = Number(values.patience) * 1000;
  if (!(patienceMs >= 1000 && patienceMs <= 3_600_000)) {
    throw new TypeError(`--patience ${values.patience}: give seconds, from 1 to 3600`);
  }
  const { json, profile, quick } = values;
  return { rows: parseRows(values.rows), rounds, json, quick, profile, patienceMs, peers: values.peer.map(parsePeer) };
}

function parseRows(text: string | undefined): ReadonlySet<RowName> {
  if (text === undefined) return new Set(rowNames);
  const rows = text.split(',').map((name) => {
    const row = rowNames.find((known) => known === name.trim());
    if (row === undefined) throw new TypeError(`--rows ${name}: the rows are ${rowNames.join(', ')}`);
    return row;
  });
  return new Set(rows);
}

function parsePeer(text: string): { name: string; program: string } {
  const [, name, program] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || program === undefined || name === 'ours') {
    throw new TypeError(`--peer ${text}: give <name>=<program>, with another name than ours`);
  }
  return { name, program };
}
