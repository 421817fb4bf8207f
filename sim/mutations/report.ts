import type { MutationResult } from './run-mutations.ts';

/** What came of it, as one object. */
export interface MutationsReport {
  readonly killed: number;
  readonly total: number;
  /** The middle one of all kills. */
  readonly seedsToKill: number;
  /** Of runs with the bug in them. */
  readonly killsPerCpuMinute: number;
  readonly mutations: readonly MutationResult[];
}

export function reportOf(mutations: readonly MutationResult[]): MutationsReport {
  const killed = mutations.filter(({ fate }) => fate === 'killed');
  const cpuUs = mutations.reduce((sum, each) => sum + each.cpuUs, 0);
  const seeds = killed.map(({ seedsTried }) => seedsTried).sort((a, b) => a - b);
  return {
    killed: killed.length,
    total: mutations.length,
    seedsToKill: seeds[seeds.length >> 1] ?? 0,
    killsPerCpuMinute: cpuUs === 0 ? 0 : Math.round((killed.length * 60_000_000) / cpuUs),
    mutations,
  };
}

/** One line of it. */
export function formatMutation({
  fate,
  name,
  scenario,
  seed,
  seedsTried,
  cpuUs,
  violation,
  wrong,
}: MutationResult): string {
  const peers = scenario.cluster.nodes - 1;
  const size = `${peers} ${peers === 1 ? 'peer' : 'peers'}, ${scenario.faults.length} ${scenario.faults.length === 1 ? 'fault' : 'faults'}`;
  const told = violation === undefined ? '' : `: ${violation.oracle}`;
  const at = seed === undefined ? `${seedsTried} seeds` : `seed ${seed}, ${seedsTried} tried`;
  return `${fate.padEnd(8)}  ${name.padEnd(16)}  ${`${at}, ${Math.ceil(cpuUs / 1_000)} ms CPU, ${size}`}${told}\n${' '.repeat(10)}${wrong}\n`;
}

/** The last lines of it. */
export function formatReport({ killed, killsPerCpuMinute, mutations, seedsToKill, total }: MutationsReport): string {
  const left = mutations.filter(({ fate }) => fate !== 'killed');
  const rest = left.map(
    ({ fate, name, violation }) => `${name} ${fate}${violation === undefined ? '' : ` (${violation.message})`}\n`,
  );
  return `${killed} of ${total} killed; ${seedsToKill} seeds to kill in the middle, ${killsPerCpuMinute} kills per CPU minute\n${rest.join('')}`;
}
