import { setTimeout as sleep } from 'node:timers/promises';
import { createLayoutWriter } from '../../testbed/index.ts';
import type { Bench } from '../bench.ts';
import { openConnection } from '../client/connection.ts';
import type { Address } from '../client/connection.ts';
import { blobUrl, manifestUrl, writeSmallContent } from '../content.ts';
import type { Line } from '../measurement.ts';
import { startMirror } from '../programs/mirror.ts';
import type { MirrorProgram } from '../programs/mirror.ts';
import { startTrio, writeTrioContent } from '../trio.ts';
import { summarize } from '../statistics.ts';
import type { RowGroup } from './row.ts';

const pauseMs = 2;
const patienceMs = 20_000;
const blobBytes = 64 * 1024;

/** From a pull's end on one node, or a node's start, to the first answer with its content from another node. */
export const findable: RowGroup = {
  rows: ['findable'],
  measure: async (bench) => {
    const rounds = bench.rounds(9);
    const found = new Map<string, number[]>();
    const fresh = new Map<string, number[]>();
    for (const mirror of bench.mirrors) {
      const { content, layout } = await writeTrioContent(bench, 1, 1024 * 1024);
      const trio = await startTrio(bench, mirror, layout.directory, content.layers[0]?.digest ?? '');
      const asked = trio.relay.settings.registry;
      const times: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const { manifest } = await writeSmallContent(layout, `new-${round}`, 3, blobBytes);
        times.push(await firstAnswerMs(asked, manifestUrl(manifest.digest), performance.now()));
      }
      found.set(
        mirror.name,
        times.map((ms) => ms / 1000),
      );
      fresh.set(mirror.name, await freshNodes(bench, mirror, asked, trio.holder.settings.router, Math.min(5, rounds)));
    }
    const subjects = (values: ReadonlyMap<string, readonly number[]>): Line['subjects'] =>
      Array.from(values, ([name, seconds]) => ({ name, summary: summarize(seconds) }));
    return [
      {
        row: 'findable',
        what: 'new content: from its name in the store to the first answer through another node',
        unit: 's',
        subjects: subjects(found),
        mark: { of: 'ours', atMost: 0.1 },
        notes: [],
      },
      {
        row: 'findable',
        what: 'a fresh node: from its start to the first of its content through another node',
        unit: 's',
        subjects: subjects(fresh),
        mark: { of: 'ours', atMost: 1 },
        notes: [],
      },
    ];
  },
};

async function freshNodes(
  bench: Bench,
  mirror: MirrorProgram,
  asked: Address,
  bootstrap: Address,
  rounds: number,
): Promise<number[]> {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const layout = await createLayoutWriter(`${bench.directory}/${mirror.name}-fresh-${round}`);
    const { layers } = await writeSmallContent(layout, '1', 3, blobBytes);
    const { program } = await startMirror(mirror, { store: layout.directory, bootstrap: [bootstrap] });
    bench.onEnd(program.stop);
    seconds.push((await firstAnswerMs(asked, blobUrl(layers[0]?.digest ?? ''), program.startedMs)) / 1000);
    await program.stop();
  }
  return seconds;
}

/** Asks one after another until the answer is 200. */
async function firstAnswerMs(address: Address, path: string, sinceMs: number): Promise<number> {
  const connection = await openConnection(address);
  try {
    while (performance.now() - sinceMs < patienceMs) {
      const { status } = await connection.exchange({ path });
      if (status === 200) return performance.now() - sinceMs;
      await sleep(pauseMs); // Asking is not to keep the machine busy.
    }
    throw new Error(`${path} was not found within ${patienceMs} ms`);
  } finally {
    connection.close();
  }
}
