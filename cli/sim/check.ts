import { checkDeterminism, formatCheck } from '../../sim/index.ts';
import { loadPlan } from './load-plan.ts';
import type { CheckOptions } from './sim-commands.ts';
import type { SimIo } from './sim-io.ts';

/** Runs each policy of a scenario several times, and says whether it was the same run: 1 where it was not, with the first event that differs. */
export async function check(options: CheckOptions, { progress, signal, writeOut }: SimIo): Promise<number> {
  const { plan } = await loadPlan(options.scenario, { ...options, seeds: undefined });
  let code = 0;
  for (const policy of plan.policies) {
    if (signal.aborted) return 130;
    let runs = 0;
    const report = await checkDeterminism(plan.scenario, {
      policy,
      seed: options.seed,
      onWorld: ({ kernel }) => {
        runs += 1;
        progress.progress(`${plan.scenario.name} · ${policy}, seed ${options.seed} · run ${runs}`);
        signal.addEventListener('abort', () => {
          kernel.stop();
        });
        if (signal.aborted) kernel.stop();
      },
    });
    // Stopped in the middle of one, they differ.
    if (signal.aborted) return 130;
    if (report.divergence !== undefined) code = 1;
    writeOut(options.json ? `${JSON.stringify(report)}\n` : `${policy}\n${formatCheck(report).join('\n')}\n`);
  }
  return code;
}
