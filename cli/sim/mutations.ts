import { PeiliError } from '../../core/index.ts';
import {
  assertSources,
  formatMutation,
  formatReport,
  mutations as catalogue,
  reportOf,
  runMutations,
} from '../../sim/mutations/index.ts';
import { createSystemClock } from '../../transports/index.ts';
import type { MutationsOptions } from './sim-commands.ts';
import type { SimIo } from './sim-io.ts';

/** Plants each bug, and says which law caught it: 1 where one lives on. Needs a checkout, since bugs are planted in sources. */
export async function mutations(options: MutationsOptions, { signal, progress, writeOut }: SimIo): Promise<number> {
  const { only, budgetUs, workers, json } = options;
  const unknown = only?.find((name) => !catalogue.some((mutation) => mutation.name === name));
  if (unknown !== undefined) {
    const names = catalogue.map(({ name }) => name).join(', ');
    throw new PeiliError('OPTION_INVALID', `--only ${JSON.stringify(unknown)}: give names with commas: ${names}`);
  }
  checkSources();
  const all = only?.length ?? catalogue.length;
  const state = { done: 0 };
  progress.progress(`0 of ${all} bugs hunted`);
  const results = await runMutations({
    clock: createSystemClock(),
    ...(only === undefined ? {} : { only }),
    budgetUs,
    workers,
    signal,
    onResult: (result) => {
      state.done += 1;
      if (!json) writeOut(`${formatMutation(result).trimEnd()}\n`);
      progress.progress(`${state.done} of ${all} bugs hunted`);
    },
  });
  const report = reportOf(results);
  writeOut(json ? `${JSON.stringify(report)}\n` : `\n${formatReport(report)}`);
  if (signal.aborted) return 130;
  return report.killed === report.total ? 0 : 1;
}

function checkSources(): void {
  try {
    assertSources();
  } catch (error) {
    throw new PeiliError('OPTION_INVALID', error instanceof Error ? error.message : String(error), {}, error);
  }
}
