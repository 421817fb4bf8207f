import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { silentObserver } from '../../core/index.ts';
import type { PullEvent } from '../../core/index.ts';
import { startLoopbackCluster } from '../../testbed/index.ts';
import type { LoopbackNode } from '../../testbed/index.ts';
import { exchangeOnce, statusOf } from '../client/connection.ts';
import { blobUrl, writeSmallContent } from '../content.ts';

/** What a node of the cluster said of its last request. */
interface Seen {
  startUs: number;
  attemptUs: number | undefined;
  lookupUs: number | undefined;
}

const [nodeCount = 30, requestCount = 1000] = process.argv.slice(2).map(Number);
const seen = new Map<number, Seen>();

function note(index: number, event: PullEvent): void {
  if (event.type === 'start') seen.set(index, { startUs: event.atUs, attemptUs: undefined, lookupUs: undefined });
  const last = seen.get(index);
  if (last === undefined) return;
  if (event.type === 'attempt') last.attemptUs ??= event.atUs;
  if (event.type === 'lookup') last.lookupUs ??= event.tookUs;
}

const addressOf = ({ running }: LoopbackNode) => ({ host: '127.0.0.1', port: running.registryPort });

/** Real nodes in this one process, real libp2p between them; times are those that the nodes report of real requests. */
async function measure(): Promise<{ hitMs: number[]; missMs: number[] }> {
  const cluster = await startLoopbackCluster({
    nodes: nodeCount,
    observer: (index) => ({ ...silentObserver, onPull: (event) => note(index, event) }),
  });
  try {
    const [holder, ...others] = cluster.nodes;
    if (holder === undefined) throw new Error('a cluster has nodes');
    const perNode = Math.ceil(requestCount / others.length);
    const { layers } = await writeSmallContent(holder.layout, '1', perNode, 1024);
    const last = layers.at(-1)?.digest ?? '';
    for (const node of others) {
      while ((await statusOf(addressOf(node), { method: 'HEAD', path: blobUrl(last) })) !== 200)
        await new Promise(setImmediate);
    }
    const hitMs: number[] = [];
    const missMs: number[] = [];
    for (const { digest } of layers) {
      for (const [at, node] of others.entries()) {
        await exchangeOnce(addressOf(node), { path: blobUrl(digest) });
        const hit = seen.get(at + 1);
        if (hit?.attemptUs !== undefined) hitMs.push((hit.attemptUs - hit.startUs) / 1000);
        await exchangeOnce(addressOf(node), { path: blobUrl(`sha256:${randomBytes(32).toString('hex')}`) });
        const miss = seen.get(at + 1);
        if (miss?.lookupUs !== undefined) missMs.push(miss.lookupUs / 1000);
      }
    }
    return { hitMs, missMs };
  } finally {
    await cluster.close();
  }
}

process.send?.(await measure());
process.disconnect?.();
