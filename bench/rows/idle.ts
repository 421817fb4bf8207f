import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLayoutWriter } from '../../testbed/index.ts';
import type { Line } from '../measurement.ts';
import { bundle, startMirror, untilReady } from '../programs/mirror.ts';
import { memoryOf } from '../programs/usage.ts';
import { summarize } from '../statistics.ts';
import type { RowGroup } from './row.ts';

const settleMs = 5000;

/** A program that has nothing to do, with one other member: what it holds, and how soon it was there. */
export const idle: RowGroup = {
  rows: ['idle'],
  measure: async (bench) => {
    const ready = new Map<string, number[]>();
    const rss = new Map<string, number[]>();
    const add = (values: Map<string, number[]>, name: string, value: number): void =>
      void values.set(name, [...(values.get(name) ?? []), value]);
    for (const mirror of bench.mirrors) {
      const layout = await createLayoutWriter(`${bench.directory}/${mirror.name}`);
      const other = await bench.mirror(mirror, { store: layout.directory, bootstrap: [] });
      for (let round = 0; round < bench.rounds(5); round += 1) {
        const place = { store: layout.directory, bootstrap: [other.settings.router] };
        const node = await startMirror(mirror, place);
        bench.onEnd(node.program.stop);
        await untilReady(node, mirror.name === 'ours' ? '/readyz' : '/v2/');
        add(ready, mirror.name, (performance.now() - node.program.startedMs) / 1000);
        if (round === 0) await sleep(settleMs);
        if (round === 0) add(rss, mirror.name, memoryOf(node.program.pid).rssMib);
        await node.program.stop();
      }
    }
    const subjects = (values: ReadonlyMap<string, readonly number[]>): Line['subjects'] =>
      Array.from(values, ([name, measured]) => ({ name, summary: summarize(measured) }));
    const notes = existsSync(bundle) ? [] : ['dist/peili.mjs is missing, so the sources ran: npm run build'];
    return [
      {
        row: 'idle',
        what: `RSS of the bundled program, idle for ${settleMs / 1000} s`,
        unit: 'MiB',
        subjects: subjects(rss),
        mark: { of: 'ours', atMost: 110 },
        notes,
      },
      {
        row: 'idle',
        what: 'from its start to ready, with one other member',
        unit: 's',
        subjects: subjects(ready),
        mark: { of: 'ours', atMost: 0.4 },
        notes,
      },
    ];
  },
};
