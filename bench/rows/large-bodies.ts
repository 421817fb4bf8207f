import type { Bench } from '../bench.ts';
import { interleave } from '../bench.ts';
import { blobUrl } from '../content.ts';
import type { Line, Mark, RowName } from '../measurement.ts';
import { oursName } from '../measurement.ts';
import { startHaproxy, startNginx } from '../programs/baselines.ts';
import { missingNote } from '../programs/installed.ts';
import { cpuSecondsOf } from '../programs/usage.ts';
import { ratios, summarize } from '../statistics.ts';
import { startTrio, writeTrioContent } from '../trio.ts';
import type { Trio } from '../trio.ts';
import type { RowGroup } from './row.ts';

const gibibyte = 1024 ** 3;

/** One large body at a time, through all subjects in turn. */
export const largeBodies: RowGroup = {
  rows: ['O', 'relay', 'P'],
  measure: async (bench, wanted) => {
    const sizeBytes = bench.quick ? gibibyte / 8 : gibibyte;
    const rounds = bench.rounds(9);
    const { content, layout } = await writeTrioContent(bench, rounds + 1, sizeBytes);
    const digests = content.layers.map(({ digest }) => digest);
    const filePath = (digest: string): string => `/blobs/${digest.replace(':', '/')}`;
    /** Another blob each time. */
    const body = (port: number, pathOf: (digest: string) => string): (() => Promise<number>) => {
      const remaining = [...digests];
      return async () => {
        const { bytes, tookMs } = await bench.client.body({ host: '127.0.0.1', port }, pathOf(remaining.pop() ?? ''));
        return bytes / tookMs / 1e6;
      };
    };
    const subjects: { name: string; measure: () => Promise<number> }[] = [];
    const costs: Costs[] = [];
    if (bench.versions.nginx !== undefined) {
      const nginx = await startNginx(layout.directory, bench.directory);
      bench.onEnd(nginx.program.stop);
      subjects.push({ name: 'nginx', measure: body(nginx.port, filePath) });
      if (bench.versions.haproxy !== undefined) {
        for (const splice of [false, true]) {
          const haproxy = await startHaproxy(nginx.port, bench.directory, { splice });
          bench.onEnd(haproxy.program.stop);
          const name = splice ? 'haproxy with splice' : 'haproxy';
          subjects.push(metered(name, { relay: haproxy.program.pid }, body(haproxy.port, filePath), sizeBytes, costs));
        }
      }
    }
    for (const mirror of bench.mirrors) {
      const trio = await startTrio(bench, mirror, layout.directory, digests[0] ?? '');
      const { port } = trio.relay.settings.registry;
      subjects.push(metered(mirror.name, pidsOf(trio), body(port, blobUrl), sizeBytes, costs));
    }
    for (const { measure } of subjects) await measure(); // Each once unmeasured: code is compiled, connections are made.
    costs.length = 0;
    const values = await interleave(rounds, subjects);
    return linesOf(bench, wanted, values, costs);
  },
};

interface Costs {
  readonly name: string;
  readonly part: 'holder' | 'relay';
  readonly secondsPerGib: number;
}

function pidsOf({ holder, relay }: Trio): { holder: number; relay: number } {
  return { holder: holder.program.pid, relay: relay.program.pid };
}

function metered(
  name: string,
  pids: { readonly holder?: number; readonly relay: number },
  measure: () => Promise<number>,
  sizeBytes: number,
  costs: Costs[],
): { name: string; measure: () => Promise<number> } {
  const used = (pid: number | undefined): number => (pid === undefined ? 0 : cpuSecondsOf(pid));
  return {
    name,
    measure: async () => {
      const before = { holder: used(pids.holder), relay: used(pids.relay) };
      const value = await measure();
      for (const part of ['holder', 'relay'] as const) {
        if (pids[part] === undefined) continue;
        const seconds = used(pids[part]) - before[part];
        costs.push({ name, part, secondsPerGib: (seconds * gibibyte) / sizeBytes });
      }
      return value;
    },
  };
}

function linesOf(
  bench: Bench,
  wanted: ReadonlySet<RowName>,
  values: ReadonlyMap<string, readonly number[]>,
  costs: readonly Costs[],
): Line[] {
  const ours = values.get(oursName) ?? [];
  const speed = (row: RowName, what: string, against: string, shown: readonly string[], mark: Mark): Line => {
    const baseline = values.get(against);
    const names = [oursName, ...shown, ...bench.mirrors.map(({ name }) => name).slice(1)];
    return {
      row,
      what,
      unit: 'GB/s',
      subjects: names.flatMap((name) => {
        const measured = values.get(name);
        return measured === undefined ? [] : [{ name, summary: summarize(measured) }];
      }),
      ...(baseline === undefined ? {} : { ratio: { against, summary: summarize(ratios(ours, baseline)) } }),
      mark,
      notes: (['nginx', 'haproxy'] as const).flatMap((tool) =>
        bench.versions[tool] === undefined ? [missingNote(tool)] : [],
      ),
    };
  };
  const cost = (part: Costs['part'], what: string, atMost: number): Line => {
    const names = [...new Set(costs.filter((each) => each.part === part).map(({ name }) => name))];
    const subjects = names.map((name) => ({
      name,
      summary: summarize(costs.filter((each) => each.part === part && each.name === name).map((c) => c.secondsPerGib)),
    }));
    return { row: 'P', what, unit: 'CPU s/GiB', subjects, mark: { of: 'ours', atMost }, notes: [] };
  };
  const lines = [
    speed('O', 'relay of a 1 GiB blob of a peer', 'nginx', ['nginx'], {
      of: 'ratio',
      atLeast: 0.6,
      remark: 'stretch 0.75',
    }),
    speed('relay', 'the same against one thread of haproxy', 'haproxy', ['haproxy', 'haproxy with splice'], {
      of: 'ratio',
      atLeast: 0.8,
    }),
    cost('holder', 'CPU of the holder', 0.45),
    cost('relay', 'CPU of the relaying node', 0.5),
  ];
  return lines.filter(({ row }) => wanted.has(row));
}
