import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PeiliError } from '../core/index.ts';
import { pull, startLoopbackCluster, startUpstream } from '../testbed/index.ts';
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

/** Real nodes on loopback that stay up until the signal, with an upstream registry and an image. */
export async function up(options: UpOptions): Promise<number> {
  const terminal = createTerminal(process.stdout);
  const { references, upstream } = await openOffer(options.image);
  try {
    const cluster = await startLoopbackCluster({ nodes: options.nodes });
    try {
      await fillFirstNode(cluster, upstream, references, options.signal);
      tellHowToUse(terminal, cluster, upstream, references);
      await aborted(options.signal);
      terminal.line('Stopping.');
    } finally {
      await cluster.close();
    }
  } finally {
    await upstream.close();
  }
  return 0;
}

async function openOffer(layout: string | undefined): Promise<Offer> {
  if (layout === undefined) {
    const image = await createDemoImage();
    return { upstream: await startUpstream({ content: [image] }), references: [image.name] };
  }
  const references = await namesIn(layout);
  return { upstream: await startUpstream({ content: { layout } }), references };
}

/** The full names in an image layout's index. */
async function namesIn(layout: string): Promise<readonly string[]> {
  const invalid = (why: string): PeiliError =>
    new PeiliError('STORE_INVALID', `--image ${layout}: ${why}; give a directory with an OCI image layout`, { layout });
  const text = await readFile(join(layout, 'index.json'), 'utf8').catch(() => {
    throw invalid('no index.json there');
  });
  const names = imageNames(text);
  if (names === undefined) throw invalid('its index.json is no image index');
  if (names.length === 0) {
    throw invalid('none of its images has a full name (annotation io.containerd.image.name, registry/repository:tag)');
  }
  return names;
}

function imageNames(text: string): string[] | undefined {
  try {
    const { manifests } = JSON.parse(text) as { manifests: { annotations?: Record<string, string> }[] };
    return manifests.flatMap(({ annotations }) => {
      const name = annotations?.['io.containerd.image.name'] ?? annotations?.['org.opencontainers.image.ref.name'];
      return name !== undefined && name.includes('/') ? [name] : [];
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
  const [, registry = '', repository = '', tag = ''] = /^([^/]+)\/(.+):([^:]+)$/.exec(reference) ?? [];
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
