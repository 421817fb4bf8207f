import { oursName } from '../measurement.ts';
import type { Line } from '../measurement.ts';
import { startWorker } from '../programs/worker.ts';
import { percentile, summarize } from '../statistics.ts';
import type { RowGroup } from './row.ts';

const nodes = 30;

interface Times {
  readonly hitMs: readonly number[];
  readonly missMs: readonly number[];
}

/** Who has it, asked over real libp2p in a cluster of one process. */
export const lookup: RowGroup = {
  rows: ['lookup'],
  measure: async (bench) => {
    const hits: number[] = [];
    const misses: number[] = [];
    for (let round = 0; round < bench.rounds(3); round += 1) {
      const worker = startWorker('lookup-cluster.ts', [nodes, bench.quick ? 200 : 1000]);
      bench.onEnd(worker.stop);
      const { hitMs, missMs } = (await worker.next()) as Times; // As lookup-cluster.ts sends it.
      hits.push(percentile(hitMs, 50));
      misses.push(percentile(missMs, 99));
      await worker.stop();
    }
    const line = (what: string, values: readonly number[], atMost: number): Line => ({
      row: 'lookup',
      what: `lookup, ${nodes} nodes in one process: ${what}`,
      unit: 'ms',
      subjects: [{ name: oursName, summary: summarize(values) }],
      mark: { of: 'ours', atMost },
      notes: [
        'a hit is the time from a request to the first attempt at a holder; both are what the nodes report of real requests',
      ],
    });
    return [line('hit, p50', hits, 0.5), line('miss, p99', misses, 10)];
  },
};
