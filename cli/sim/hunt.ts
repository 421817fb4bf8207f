import { formatReplay, hunt as huntSeeds } from '../../sim/index.ts';
import type { Found } from '../../sim/index.ts';
import type { HuntOptions } from './sim-commands.ts';
import type { SimIo } from './sim-io.ts';

/** Draws scenarios, seed after seed, with all laws watched, for so long; what breaks one is made small, and printed as a line that replays it: then the code is 1. */
export async function hunt({ budgetUs, seed, shard, json }: HuntOptions, io: SimIo): Promise<number> {
  const { progress, signal, writeOut } = io;
  const startMs = performance.now();
  const passedMs = (): number => performance.now() - startMs;
  const tell = ({ seed: found, violation, scenario }: Found): void => {
    const line = formatReplay({ scenario, seed: found, policy: 'peili', event: violation.event });
    const { faults, cluster, workload } = scenario;
    const size = `${cluster.nodes} nodes, ${workload.length} pulls, ${faults.length} faults`;
    writeOut(
      json
        ? `${JSON.stringify({ seed: found, violation, replay: line })}\n`
        : `✘ seed ${found}: ${violation.oracle}: ${violation.message}\n  ${size}; peili sim replay '${line}'\n`,
    );
  };
  const result = await huntSeeds({
    firstSeed: seed + shard.index,
    stride: shard.count,
    goesOn: (tried) => {
      const seconds = passedMs() / 1_000;
      progress.progress(`${tried} seeds in ${seconds.toFixed(0)} s of ${(budgetUs / 1_000_000).toFixed(0)}`);
      return !signal.aborted && passedMs() * 1_000 < budgetUs;
    },
    onFound: tell,
  });
  const { tried, events, found } = result;
  const seconds = passedMs() / 1_000;
  if (json) writeOut(`${JSON.stringify({ tried, events, found: found.length, seconds })}\n`);
  else writeOut(`${tried} seeds, ${events} events in ${seconds.toFixed(1)} s: ${found.length} broke a law\n`);
  if (signal.aborted) return 130;
  return found.length === 0 ? 0 : 1;
}
