import { setTimeout as sleep } from 'node:timers/promises';
import { createLayoutWriter } from '../../testbed/index.ts';
import type { LayoutWriter } from '../../testbed/index.ts';
import type { Bench } from '../bench.ts';
import { startClient } from '../client/client.ts';
import type { Client } from '../client/client.ts';
import type { Address } from '../client/connection.ts';
import { blobUrl, linkContent, writeSmallContent } from '../content.ts';
import type { Line } from '../measurement.ts';
import type { MirrorNode, MirrorProgram } from '../programs/mirror.ts';
import { createNetwork } from '../programs/network.ts';
import type { Network } from '../programs/network.ts';
import { until } from '../programs/program.ts';
import { percentile, summarize } from '../statistics.ts';
import type { RowGroup } from './row.ts';

const pullsBefore = 30;
const pullsAfter = 30;
const blobBytes = 256 * 1024;
/** Both holders have said what they have, and everybody has heard it. */
const settleMs = 1000;

type Loss = 'killed' | 'unplugged' | 'frozen';

/** What the first pull costs more than usual when the holder that is asked first, the one of the own zone, is lost; and any pull after it. */
export const lostHolder: RowGroup = {
  rows: ['killed'],
  measure: async (bench) => {
    const network = createNetwork();
    if (network !== undefined) bench.onEnd(network.remove);
    const losses: readonly Loss[] = ['killed', network === undefined ? 'frozen' : 'unplugged'];
    const lines: Line[] = [];
    for (const loss of losses) {
      const first = new Map<string, number[]>();
      const later = new Map<string, number[]>();
      for (let round = 0; round < bench.rounds(5); round += 1) {
        for (const mirror of bench.mirrors) {
          const cost = await loseHolder(bench, mirror, loss, network, round);
          first.set(mirror.name, [...(first.get(mirror.name) ?? []), cost.firstMs]);
          later.set(mirror.name, [...(later.get(mirror.name) ?? []), cost.laterMs]);
        }
      }
      lines.push(...linesOf(loss, first, later));
    }
    return lines;
  },
};

function linesOf(
  loss: Loss,
  first: ReadonlyMap<string, readonly number[]>,
  later: ReadonlyMap<string, readonly number[]>,
): Line[] {
  const notes =
    loss === 'frozen'
      ? [
          'without root and iproute2 no packets can be dropped: the holder is stopped with SIGSTOP, which its kernel still accepts connections for',
        ]
      : [];
  const subjects = (values: ReadonlyMap<string, readonly number[]>): Line['subjects'] =>
    Array.from(values, ([name, measured]) => ({ name, summary: summarize(measured) }));
  const atMost = loss === 'killed' ? 10 : 300;
  return [
    {
      row: 'killed',
      what: `the first pull after a holder was ${loss} takes longer by`,
      unit: 'ms',
      subjects: subjects(first),
      mark: { of: 'ours', atMost },
      notes,
    },
    {
      row: 'killed',
      what: `the slowest of the next ${pullsAfter - 1} pulls takes longer by`,
      unit: 'ms',
      subjects: subjects(later),
      notes,
    },
  ];
}

async function loseHolder(
  bench: Bench,
  mirror: MirrorProgram,
  loss: Loss,
  network: Network | undefined,
  round: number,
): Promise<{ firstMs: number; laterMs: number }> {
  const namespace = network?.namespace;
  const scratch = `${bench.directory}/${mirror.name}-${loss}-${round}`;
  const near = await createLayoutWriter(`${scratch}-near`);
  const content = await writeSmallContent(near, '1', pullsBefore + pullsAfter, blobBytes);
  const far = await linkContent(near, `${scratch}-far`, '1', content);
  const empty = await createLayoutWriter(`${scratch}-empty`);
  const hosts = network?.hosts ?? { stays: '127.0.0.1', goes: '127.0.0.1' };
  const client = namespace === undefined ? bench.client : startClient(namespace);
  if (client !== bench.client) bench.onEnd(client.stop);
  const start = (store: LayoutWriter, zone: string, host: string, bootstrap: readonly Address[]): Promise<MirrorNode> =>
    bench.mirror(mirror, { store: store.directory, bootstrap, zone, host, namespace }, client.statusOf);
  const keeper = await start(far, 'far', hosts.stays, []);
  const bootstrap = [keeper.settings.router];
  const lost = await start(near, 'near', hosts.goes, bootstrap);
  const asking = await start(empty, 'near', hosts.stays, bootstrap);
  try {
    const paths = content.layers.map(({ digest }) => blobUrl(digest));
    const [firstPath = ''] = paths;
    await until(
      'content is found',
      async () => (await client.statusOf(asking.settings.registry, { method: 'HEAD', path: firstPath })) === 200,
    );
    await sleep(settleMs);
    const before = await pulls(client, asking.settings.registry, paths.slice(1, pullsBefore));
    if (loss === 'killed') await lost.program.kill();
    else if (network === undefined) process.kill(lost.program.pid, 'SIGSTOP');
    else network.unplug();
    const after = await pulls(client, asking.settings.registry, paths.slice(pullsBefore));
    const usualMs = percentile(before, 50);
    const [firstMs = Number.NaN, ...rest] = after.map((ms) => ms - usualMs);
    return { firstMs, laterMs: Math.max(...rest) };
  } finally {
    network?.plugIn();
    await Promise.all([lost.program.kill(), asking.program.kill(), keeper.program.kill()]);
  }
}

async function pulls(client: Client, address: Address, paths: readonly string[]): Promise<number[]> {
  const exchanges = await client.serial(
    address,
    paths.map((path) => ({ path })),
  );
  const wrong = exchanges.find(({ complete, status }) => status !== 200 || !complete);
  if (wrong !== undefined) throw new Error(`a pull failed: ${JSON.stringify(wrong)}`);
  return exchanges.map(({ tookMs }) => tookMs);
}
