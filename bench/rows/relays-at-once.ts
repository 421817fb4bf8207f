import { blobUrl } from '../content.ts';
import type { Line } from '../measurement.ts';
import { memoryOf } from '../programs/usage.ts';
import { summarize } from '../statistics.ts';
import { startTrio, writeTrioContent } from '../trio.ts';
import type { RowGroup } from './row.ts';

const gibibyte = 1024 ** 3;
const bodies = 64;

/** Many bodies through one node: what they hold in memory, and whether each gets its share. */
export const relaysAtOnce: RowGroup = {
  rows: ['relays64'],
  measure: async (bench) => {
    const sizeBytes = bench.quick ? gibibyte / 16 : gibibyte;
    const { content, layout } = await writeTrioContent(bench, bodies, sizeBytes);
    const digests = content.layers.map(({ digest }) => digest);
    const peaks: { name: string; relayMib: number; holderMib: number; share: number; rate: number }[] = [];
    for (const mirror of bench.mirrors) {
      const { holder, relay } = await startTrio(bench, mirror, layout.directory, digests[0] ?? '');
      const startedMs = performance.now();
      const exchanges = await bench.client.bodies(relay.settings.registry, digests.map(blobUrl));
      const seconds = (performance.now() - startedMs) / 1000;
      const failed = exchanges.filter(({ complete, status }) => status !== 200 || !complete);
      if (failed.length > 0)
        throw new Error(`${mirror.name}: ${failed.length} of ${bodies} failed: ${JSON.stringify(failed[0])}`);
      const rates = exchanges.map(({ bytes, tookMs }) => bytes / tookMs);
      const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
      peaks.push({
        name: mirror.name,
        relayMib: memoryOf(relay.program.pid).peakMib,
        holderMib: memoryOf(holder.program.pid).peakMib,
        share: Math.min(...rates) / mean,
        rate: (bodies * sizeBytes) / seconds / 1e9,
      });
    }
    const each = (value: (peak: (typeof peaks)[number]) => number): Line['subjects'] =>
      peaks.map((peak) => ({ name: peak.name, summary: summarize([value(peak)]) }));
    const common = { row: 'relays64', notes: [] } as const;
    return [
      {
        ...common,
        what: '64 relays of 1 GiB at once: most RSS of the relaying node',
        unit: 'MiB',
        subjects: each((p) => p.relayMib),
        mark: { of: 'ours', atMost: 260 },
      },
      {
        ...common,
        what: 'the same: the slowest body, of the mean rate',
        unit: 'x',
        subjects: each((p) => p.share),
        mark: { of: 'ours', atLeast: 0.5 },
      },
      { ...common, what: 'the same: all together', unit: 'GB/s', subjects: each((p) => p.rate) },
      { ...common, what: 'the same: most RSS of the holder', unit: 'MiB', subjects: each((p) => p.holderMib) },
    ];
  },
};
