import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseReference, PeiliError } from '../core/index.ts';
import { pull, PullError, startLoopbackCluster, startUpstream } from '../testbed/index.ts';
import type { LoopbackCluster, Upstream } from '../testbed/index.ts';
import { createDemoImage } from './demo-image.ts';
import { createTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';

export interface UpOptions {
  readonly nodes: number;
  /** An OCI image layout whose images are served, instead of one made on the spot. */
  readonly image?: string | undefined;
  /** Ends the cluster. */
  readonly signal: AbortSignal;
}

interface Offer {
  readonly upstream: Upstream;
  /** `registry/repository:tag` each. */
  readonly references: readonly string[];
}

/** Real nodes on loopback that stay up until the signal, with an upstream registry and an image. Ended while it starts, it has ended well too. */
export async function up(options: UpOptions): Promise<number> {
  const terminal = createTerminal(process.stdout);
  try {
    await stayUp(options, terminal);
  } catch (error) {
    if (!options.signal.aborted) throw error;
  }
  terminal.line('Stopped.');
  return 0;
}

async function stayUp({ image, nodes, signal }: UpOptions, terminal: Terminal): Promise<void> {
  const { references, upstream } = await openOffer(image);
  try {
    const cluster = await startLoopbackCluster({ nodes, signal });
    try {
      await fillFirstNode(cluster, upstream, references, signal).catch((error: unknown) => {
        // The upstream is whole unless it serves what somebody gave it.
        if (image === undefined || !(error instanceof PullError)) throw error;
        throw invalidLayout(image, error.message);
      });
      tellHowToUse(terminal, cluster, upstream, references);
      await aborted(signal);
    } finally {
      await cluster.close();
    }
  } finally {
    await upstream.close();
  }
}

async function openOffer(layout: string | undefined): Promise<Offer> {
  if (layout === undefined) {
    const image = await createDemoImage();
    return { upstream: await startUpstream({ content: [image] }), references: [image.name] };
  }
  const references = await namesIn(layout);
  return { upstream: await startUpstream({ content: { layout } }), references };
}

/** The names in an image layout's index that say registry, repository and tag, as a node's store reads them. */
async function namesIn(layout: string): Promise<readonly string[]> {
  const text = await readFile(join(layout, 'index.json'), 'utf8').catch(() => {
    throw invalidLayout(layout, 'no index.json there');
  });
  const names = imageNames(text);
  if (names === undefined) throw invalidLayout(layout, 'its index.json is no image index');
  if (names.length === 0) {
    const annotation = 'annotation io.containerd.image.name, registry/repository:tag';
    throw invalidLayout(layout, `none of its images has a full name (${annotation})`);
  }
  return names;
}

function invalidLayout(layout: string, why: string): PeiliError {
  const message = `--image ${JSON.stringify(layout)}: ${why}; give a directory with a complete OCI image layout`;
  return new PeiliError('STORE_INVALID', message, { layout });
}

function imageNames(text: string): string[] | undefined {
  try {
    const { manifests } = JSON.parse(text) as { manifests: { annotations?: Record<string, string> }[] };
    return manifests.flatMap(({ annotations }) => {
      const name = annotations?.['io.containerd.image.name'] ?? annotations?.['org.opencontainers.image.ref.name'];
      const reference = name === undefined ? undefined : parseReference(name);
      return name !== undefined && reference?.tag !== undefined && reference.digest === undefined ? [name] : [];
    });
  } catch {
    return undefined;
  }
}

/** So that there is something to be found: node-1 pulls each image from the upstream. */
async function fillFirstNode(
  cluster: LoopbackCluster,
  upstream: Upstream,
  references: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const [first] = cluster.nodes;
  if (first === undefined) return;
  for (const reference of references) {
    await pull({ reference, mirror: first.url, upstream: upstream.url, into: first.layout, signal });
  }
}

function tellHowToUse(
  terminal: Terminal,
  { nodes }: LoopbackCluster,
  upstream: Upstream,
  references: readonly string[],
): void {
  const last = nodes.at(-1);
  const [reference = ''] = references;
  const { registry = '', repository = '', tag = '' } = parseReference(reference) ?? {};
  const manifest = `${last?.url ?? ''}/v2/${repository}/manifests/${tag}?ns=${registry}`;
  terminal.line(`${nodes.length} mirrors and an upstream registry (${upstream.url}) run; Ctrl-C ends them.`);
  terminal.line();
  for (const { name, url, layout } of nodes) terminal.line(`  ${name}  ${url}  store ${layout.directory}`);
  terminal.line();
  for (const name of references) terminal.line(`node-1 holds ${name}. The others hold nothing and find it there.`);
  terminal.line();
  terminal.line(`curl, through ${last?.name ?? ''}:`);
  terminal.line(`  curl -i '${manifest}'`);
  terminal.line('crane, by digest (it does not say which registry a tag belongs to, and a mirror has to know):');
  terminal.line(`  digest=$(curl -sI '${manifest}' | tr -d '\\r' | sed -n 's/^docker-content-digest: //p')`);
  terminal.line(`  crane pull --insecure ${last?.url.slice(7) ?? ''}/${repository}@$digest image.tar`);
  terminal.line(`containerd, /etc/containerd/certs.d/${registry}/hosts.toml:`);
  terminal.line(`  server = '${upstream.url}'`);
  terminal.line(`  [host.'${last?.url ?? ''}']`);
  terminal.line("  capabilities = ['pull', 'resolve']");
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
