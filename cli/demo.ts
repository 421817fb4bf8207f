import { startLoopbackCluster, startUpstream, pull } from '../testbed/index.ts';
import type { LoopbackCluster, LoopbackNode, PullProgress, PullResult, TestImage, Upstream } from '../testbed/index.ts';
import { createDemoImage } from './demo-image.ts';
import { tellDemoLeague } from './demo-league.ts';
import { createPullLedger } from './pull-ledger.ts';
import type { PullLedger } from './pull-ledger.ts';
import { createTerminal, formatBar, formatBytes, formatDuration } from './terminal.ts';
import type { Terminal } from './terminal.ts';

export interface DemoOptions {
  /** The last line of stdout is one JSON object; everything else goes to stderr. */
  readonly json: boolean;
  /** Ends the demo early, with nothing left behind. */
  readonly signal: AbortSignal;
}

/** What the demo ends with. */
export interface DemoResult {
  readonly nodes: number;
  readonly bytesFromUpstream: number;
  readonly bytesFromPeers: number;
  /** Bodies that went on at their next byte from another source. */
  readonly resumes: number;
  readonly seconds: number;
}

interface Stage {
  readonly terminal: Terminal;
  readonly image: TestImage;
  readonly upstream: Upstream;
  readonly cluster: LoopbackCluster;
  readonly ledgers: readonly PullLedger[];
  readonly signal: AbortSignal;
}

const nodeCount = 3;
/** As a shell reports an end by SIGINT. */
const interrupted = 130;
/** The demo promises to end within 30 s: it would rather say that it failed. */
const timeLimitMs = 28_000;
/** What is simulated by then is shown: that a machine is busy is no reason to fail. */
const leagueLimitMs = 25_000;
/** New content is findable after about 0.1 s; asked so often until it is. */
const findEveryMs = 10;

/** Three mirrors feed each other while the upstream is gone and a holder dies in mid-blob. Exit code 0 when all bytes were right. */
export async function demo(options: DemoOptions): Promise<number> {
  const terminal = createTerminal(options.json ? process.stderr : process.stdout);
  const startMs = performance.now();
  const limit = AbortSignal.timeout(timeLimitMs);
  const signal = AbortSignal.any([options.signal, limit]);
  let result: Omit<DemoResult, 'seconds'>;
  try {
    result = await playDemo(terminal, signal);
    const leftMs = Math.max(0, Math.round(leagueLimitMs - (performance.now() - startMs)));
    await tellDemoLeague(terminal, AbortSignal.any([options.signal, AbortSignal.timeout(leftMs)]));
    options.signal.throwIfAborted();
  } catch (error) {
    if (!signal.aborted) throw error;
    terminal.line(
      limit.aborted ? `Given up: not done after ${timeLimitMs / 1000} s. Is this machine very busy?` : 'Stopped.',
    );
    return limit.aborted ? 1 : interrupted;
  }
  const seconds = Math.round(performance.now() - startMs) / 1000;
  tellSummary(terminal, { ...result, seconds });
  if (options.json) process.stdout.write(`${JSON.stringify({ ...result, seconds })}\n`);
  return 0;
}

async function playDemo(terminal: Terminal, signal: AbortSignal): Promise<Omit<DemoResult, 'seconds'>> {
  terminal.line(
    'peili demo: three real mirrors on loopback (libp2p, HTTP, a directory each), one image, and things that go wrong.',
  );
  const image = await createDemoImage();
  const upstream = await startUpstream({ content: [image] });
  const ledgers = Array.from({ length: nodeCount }, createPullLedger);
  try {
    const cluster = await startLoopbackCluster({
      nodes: nodeCount,
      signal,
      observer: (index) => ledgers[index]?.observer ?? createPullLedger().observer,
    });
    try {
      await playScenes({ terminal, image, upstream, cluster, ledgers, signal });
    } finally {
      await cluster.close();
    }
    const bytesFromPeers = ledgers
      .flatMap((ledger) => [...ledger.bytesBySource().values()])
      .reduce((sum, n) => sum + n, 0);
    const resumes = ledgers.reduce((sum, ledger) => sum + ledger.resumes().length, 0);
    return { nodes: nodeCount, bytesFromUpstream: upstream.bytesServed(), bytesFromPeers, resumes };
  } finally {
    await upstream.close();
  }
}

async function playScenes(stage: Stage): Promise<void> {
  const { terminal, image, upstream, cluster } = stage;
  const [first, second, third] = cluster.nodes;
  if (first === undefined || second === undefined || third === undefined) throw new Error('the demo needs three nodes');
  terminal.line();
  terminal.line(`1. The upstream registry has ${image.name}, ${describeImage(image)}.`);
  for (const node of cluster.nodes)
    terminal.line(
      `   ${node.name}  registry ${node.url.slice(7)}  knows ${node.running.membership.members().length} others`,
    );

  terminal.line();
  terminal.line('2. node-1 pulls. Nobody in the cluster has the image yet: it comes from upstream, once.');
  tellPull(stage, 0, await pullOn(stage, first));

  await upstream.cut();
  terminal.line();
  terminal.line('3. The upstream is cut off: connections to it are refused from now on.');

  terminal.line();
  const foundMs = await untilFound(stage, second);
  terminal.line(`4. node-2 pulls. Its mirror finds node-1 (${formatDuration(foundMs)} after the pull there ended).`);
  tellPull(stage, 1, await pullOn(stage, second));

  await untilAdvertised(stage, 1); // So that there is another holder when one dies.
  terminal.line();
  terminal.line('5. node-3 pulls, and whoever feeds it is killed in the middle of the largest layer.');
  const killed = killInMidBlob(stage, third);
  const result = await pullOn(stage, third, killed.onProgress);
  terminal.line(`   ✘ ${(await killed.done) ?? 'nobody'} was killed${killed.where()}`);
  tellPull(stage, 2, result);
}

function describeImage(image: TestImage): string {
  const sizes = [...image.blobs.values()].map(({ sizeBytes }) => sizeBytes);
  return `${formatBytes(sizes.reduce((sum, size) => sum + size, 0))} in ${sizes.length - 2} layers`;
}

async function pullOn(
  stage: Stage,
  node: LoopbackNode,
  onBytes?: (progress: PullProgress) => void,
): Promise<PullResult> {
  const { image, signal, terminal, upstream } = stage;
  const total = [...image.blobs.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const seen = { bytes: 0, shown: 0 };
  const onProgress = (progress: PullProgress): void => {
    onBytes?.(progress);
    seen.bytes += progress.bytes;
    if (seen.bytes - seen.shown < total / 100) return;
    seen.shown = seen.bytes;
    terminal.progress(`   ${formatBar(seen.bytes, total, 40)} ${formatBytes(seen.bytes)}`);
  };
  return pull({
    reference: image.name,
    mirror: node.url,
    upstream: upstream.url,
    into: node.layout,
    signal,
    onProgress,
  });
}

/** Asks the node's mirror for the image until it finds it; milliseconds that took. */
async function untilFound({ image, signal }: Stage, node: LoopbackNode): Promise<number> {
  const startMs = performance.now();
  const url = `${node.url}/v2/${image.repository}/manifests/${image.tag}?ns=${image.registry}`;
  while ((await fetch(url, { method: 'HEAD', signal })).status !== 200) await pause();
  return performance.now() - startMs;
}

/** Until the node has said that it holds the whole image, its tag too. */
async function untilAdvertised({ image, ledgers, signal }: Stage, index: number): Promise<void> {
  while ((ledgers[index]?.advertisedKeys() ?? 0) <= image.blobs.size) {
    signal.throwIfAborted();
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, findEveryMs));
}

/** Kills the node that feeds `node`, once a quarter of the largest layer has come. */
function killInMidBlob(stage: Stage, node: LoopbackNode) {
  const { cluster, image, ledgers } = stage;
  const ledger = ledgers[cluster.nodes.indexOf(node)];
  const [largest] = [...image.blobs.values()].sort((a, b) => b.sizeBytes - a.sizeBytes);
  const state: { at: number; done: Promise<string | undefined> } = { at: 0, done: Promise.resolve(undefined) };
  return {
    onProgress: ({ digest, receivedBytes, sizeBytes }: PullProgress): void => {
      if (state.at > 0 || digest !== largest?.digest || receivedBytes < sizeBytes / 4) return;
      const id = ledger?.currentSource(digest);
      const victim = cluster.nodes.find(({ running }) => running.peerId === id);
      if (victim === undefined) return;
      state.at = receivedBytes;
      state.done = victim.running.kill().then(() => victim.name);
    },
    get done() {
      return state.done;
    },
    where: () => ` at byte ${state.at.toLocaleString('en')} of ${(largest?.sizeBytes ?? 0).toLocaleString('en')}`,
  };
}

function tellPull({ cluster, ledgers, terminal }: Stage, index: number, result: PullResult): void {
  const ledger = ledgers[index];
  const name = (id: string): string => cluster.nodes.find(({ running }) => running.peerId === id)?.name ?? id;
  for (const { at, source } of ledger?.resumes() ?? []) {
    terminal.line(`   ↻ went on at byte ${at.toLocaleString('en')} from ${name(source)}`);
  }
  const parts = [...(ledger?.bytesBySource() ?? [])].map(([id, bytes]) => `${formatBytes(bytes)} from ${name(id)}`);
  const upstream = result.bytesByHost.upstream;
  parts.push(upstream === 0 ? 'nothing from upstream' : `${formatBytes(upstream)} from upstream`);
  terminal.line(`   ✔ ${parts.join(', ')}; every digest right; ${formatDuration(result.durationMs)}`);
}

function tellSummary(terminal: Terminal, result: DemoResult): void {
  terminal.line();
  terminal.line(
    `Done in ${result.seconds.toFixed(1)} s: ${result.nodes} nodes, ${formatBytes(result.bytesFromUpstream)} from upstream, ` +
      `${formatBytes(result.bytesFromPeers)} from peers, ${result.resumes === 1 ? '1 body' : `${result.resumes} bodies`} resumed at the next byte.`,
  );
  terminal.line(
    'Next: `npx peili up --nodes 3` keeps a cluster running to try with curl or crane; `npx peili --help` lists the rest.',
  );
}
