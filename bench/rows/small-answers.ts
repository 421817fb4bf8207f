import { randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { interleave } from '../bench.ts';
import type { Bench } from '../bench.ts';
import type { Address } from '../client/connection.ts';
import { blobUrl, manifestUrl } from '../content.ts';
import { oursName } from '../measurement.ts';
import type { Line, Mark, RowName, Subject, Unit } from '../measurement.ts';
import { startHaproxy, startNginx } from '../programs/baselines.ts';
import { missingNote } from '../programs/installed.ts';
import type { ToolName } from '../programs/installed.ts';
import { percentile, ratios, summarize } from '../statistics.ts';
import { startTrio, writeTrioContent } from '../trio.ts';
import type { Trio } from '../trio.ts';
import type { RowGroup } from './row.ts';

interface Target {
  readonly name: string;
  readonly address: Address;
  readonly path: string;
}

interface Stage {
  readonly bench: Bench;
  readonly trios: readonly Trio[];
  /** A manifest where it lies, and through one hop. */
  readonly local: readonly Target[];
  readonly throughPeer: readonly Target[];
}

const serialRequests = 500;
const connections = 8;

/** Manifests and misses: what a request costs besides its bytes. */
export const smallAnswers: RowGroup = {
  rows: ['Q', 'R', 'S'],
  measure: async (bench, wanted) => {
    const stage = await prepare(bench);
    const rounds = bench.rounds(7);
    const lines: Line[] = [];
    if (wanted.has('Q')) lines.push(...(await serialManifests(stage, rounds)));
    if (wanted.has('R')) lines.push(await manifestRate(stage, rounds));
    if (wanted.has('S')) lines.push(...(await misses(stage, rounds)));
    return lines;
  },
};

async function prepare(bench: Bench): Promise<Stage> {
  const { content, layout } = await writeTrioContent(bench, 1, 1024 * 1024);
  const { digest } = content.manifest;
  const local: Target[] = [];
  const throughPeer: Target[] = [];
  const trios: Trio[] = [];
  for (const mirror of bench.mirrors) {
    const trio = await startTrio(bench, mirror, layout.directory, content.layers[0]?.digest ?? '');
    const { name } = mirror;
    trios.push(trio);
    local.push({ name, address: trio.holder.settings.registry, path: manifestUrl(digest) });
    throughPeer.push({ name, address: trio.relay.settings.registry, path: manifestUrl(digest) });
  }
  const path = `/blobs/${digest.replace(':', '/')}`;
  if (bench.versions.nginx !== undefined) {
    const nginx = await startNginx(layout.directory, bench.directory);
    bench.onEnd(nginx.program.stop);
    local.push({ name: 'nginx', address: { host: '127.0.0.1', port: nginx.port }, path });
    if (bench.versions.haproxy !== undefined) {
      const haproxy = await startHaproxy(nginx.port, bench.directory, { splice: false });
      bench.onEnd(haproxy.program.stop);
      throughPeer.push({ name: 'haproxy', address: { host: '127.0.0.1', port: haproxy.port }, path });
    }
  }
  return { bench, trios, local, throughPeer };
}

async function serialManifests({ bench, local, throughPeer }: Stage, rounds: number): Promise<Line[]> {
  const p50 = (target: Target) => ({
    name: target.name,
    measure: async (): Promise<number> => percentile(await latencies(bench, target, 200), 50),
  });
  const lines: Line[] = [];
  for (const { targets, what, atMost } of [
    { targets: local, what: 'manifest by digest, one after another: local, p50', atMost: 0.5 },
    { targets: throughPeer, what: 'the same through a peer, p50', atMost: 1.2 },
  ]) {
    const values = await interleave(rounds, targets.map(p50));
    lines.push(lineOf(bench, 'Q', what, 'ms', values, { of: 'ours', atMost }, ['nginx', 'haproxy']));
  }
  return lines;
}

async function latencies(bench: Bench, { address, path, name }: Target, status: number): Promise<number[]> {
  const requests = Array.from({ length: serialRequests }, () => ({ path }));
  const exchanges = await bench.client.serial(address, requests);
  const wrong = exchanges.find((exchange) => exchange.status !== status || !exchange.complete);
  if (wrong !== undefined) throw new Error(`${name} ${path}: ${JSON.stringify(wrong)}`);
  return exchanges.map(({ tookMs }) => tookMs);
}

async function manifestRate({ bench, local }: Stage, rounds: number): Promise<Line> {
  const what = `manifests, local by digest, ${connections} connections (wrk)`;
  const mark = { of: 'ours', atLeast: 10_000 } as const;
  const note = missingNote('wrk');
  if (bench.versions.wrk === undefined)
    return { row: 'R', what, unit: 'requests/s', subjects: [], mark, notes: [note] };
  const values = await interleave(
    rounds,
    local.map((target) => ({
      name: target.name,
      measure: () => Promise.resolve(wrkRate(target, bench.quick ? 1 : 2)),
    })),
  );
  return lineOf(bench, 'R', what, 'requests/s', values, mark, ['nginx']);
}

function wrkRate({ address, name, path }: Target, seconds: number): number {
  const url = `http://${address.host}:${address.port}${path}`;
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, url];
  const { stdout } = spawnSync('wrk', args, { encoding: 'utf8', timeout: 30_000 });
  const rate = Number(/Requests\/sec: +([\d.]+)/.exec(stdout)?.[1]);
  if (!(rate > 0) || stdout.includes('Non-2xx')) throw new Error(`wrk against ${name}: ${stdout}`);
  return rate;
}

async function misses({ bench, trios }: Stage, rounds: number): Promise<Line[]> {
  const measured = new Map(trios.map(({ name }) => [name, { p50: [] as number[], p99: [] as number[] }]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, relay } of trios) {
      const requests = Array.from({ length: serialRequests }, () => ({ path: blobUrl(unheardOf()) }));
      const exchanges = await bench.client.serial(relay.settings.registry, requests);
      const wrong = exchanges.find(({ status }) => status !== 404);
      if (wrong !== undefined) throw new Error(`${name}, a blob that nobody has: ${JSON.stringify(wrong)}`);
      const took = exchanges.map(({ tookMs }) => tookMs);
      measured.get(name)?.p50.push(percentile(took, 50));
      measured.get(name)?.p99.push(percentile(took, 99));
    }
  }
  const values = (key: 'p50' | 'p99') => new Map(Array.from(measured, ([name, found]) => [name, found[key]]));
  const what = 'GET of a blob that none of 3 nodes has';
  return [
    lineOf(bench, 'S', `${what}, p50`, 'ms', values('p50'), { of: 'ours', atMost: 1 }, []),
    lineOf(bench, 'S', `${what}, p99`, 'ms', values('p99'), { of: 'ours', atMost: 10 }, []),
  ];
}

function unheardOf(): string {
  return `sha256:${randomBytes(32).toString('hex')}`;
}

/** Ours against the first baseline that was measured. */
function lineOf(
  bench: Bench,
  row: RowName,
  what: string,
  unit: Unit,
  values: ReadonlyMap<string, readonly number[]>,
  mark: Mark,
  baselines: readonly ToolName[],
): Line {
  const subjects = Array.from(values, ([name, measured]): Subject => ({ name, summary: summarize(measured) }));
  const against = baselines.find((name) => values.has(name));
  const baseline = against === undefined ? undefined : values.get(against);
  const ours = values.get(oursName) ?? [];
  const notes = baselines.flatMap((tool) => (bench.versions[tool] === undefined ? [missingNote(tool)] : []));
  if (against === undefined || baseline === undefined) return { row, what, unit, subjects, mark, notes };
  return { row, what, unit, subjects, ratio: { against, summary: summarize(ratios(ours, baseline)) }, mark, notes };
}
