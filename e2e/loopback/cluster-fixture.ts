import type { TestContext } from 'node:test';
import { silentObserver } from '../../core/index.ts';
import type { NodeEvent, PullEvent } from '../../core/index.ts';
import { createImage, pull, startLoopbackCluster, startUpstream } from '../../testbed/index.ts';
import type {
  LoopbackCluster,
  LoopbackClusterOptions,
  LoopbackNode,
  PullOptions,
  PullResult,
  TestImage,
  Upstream,
} from '../../testbed/index.ts';

const mebibyte = 1024 * 1024;
/** Anything here takes below a second; a law that hangs ends as failed. */
const timeLimitMs = 30_000;
const pollMs = 5;

/** A cluster on loopback with an upstream registry and an image, and what its nodes told. */
export interface Fixture {
  readonly cluster: LoopbackCluster;
  readonly upstream: Upstream;
  readonly image: TestImage;
  readonly signal: AbortSignal;
  readonly events: readonly (readonly PullEvent[])[];
  readonly nodeEvents: readonly (readonly NodeEvent[])[];
  node(index: number): LoopbackNode;
  /** Pulls on a node, through its mirror, into its store. */
  pullOn(index: number, options?: Partial<PullOptions>): Promise<PullResult>;
  /** Answers of a node's mirror. */
  ask(index: number, path: string, init?: RequestInit): Promise<Response>;
  /** Resolves when `condition` holds. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Resolves when the node has said that it holds so many keys, by default the whole image and its tag: from then on it answers so itself. */
  untilAdvertised(index: number, keys?: number): Promise<void>;
  /** Resolves when the node's mirror finds the whole image, or this manifest of it. */
  untilFound(index: number, manifest?: string): Promise<void>;
}

export interface FixtureOptions extends Partial<LoopbackClusterOptions> {
  readonly layersMiB?: readonly number[];
  readonly image?: TestImage;
}

/** Everything of it ends with the test. */
export async function openFixture(context: TestContext, options: FixtureOptions = {}): Promise<Fixture> {
  const { layersMiB = [24, 2], nodes = 3 } = options;
  const image =
    options.image ??
    (await createImage({
      name: 'registry.example/team/app:1.0',
      layers: layersMiB.map((size) => ({ sizeBytes: size * mebibyte })),
    }));
  const upstream = await startUpstream({ content: [image] });
  context.after(() => upstream.close());
  const events = Array.from({ length: nodes + 2 }, (): PullEvent[] => []);
  const nodeEvents = Array.from({ length: nodes + 2 }, (): NodeEvent[] => []);
  const cluster = await startLoopbackCluster({
    ...options,
    nodes,
    observer: (index) => ({
      ...silentObserver,
      onPull: (event) => events[index]?.push(event),
      onNode: (event) => nodeEvents[index]?.push(event),
    }),
  });
  context.after(() => cluster.close());
  return fixtureOf(cluster, upstream, image, events, nodeEvents);
}

function fixtureOf(
  cluster: LoopbackCluster,
  upstream: Upstream,
  image: TestImage,
  events: readonly (readonly PullEvent[])[],
  nodeEvents: readonly (readonly NodeEvent[])[],
): Fixture {
  const signal = AbortSignal.timeout(timeLimitMs);
  const node = (index: number): LoopbackNode => {
    const found = cluster.nodes[index];
    if (found === undefined) throw new RangeError(`no node ${index}`);
    return found;
  };
  const ask = (index: number, path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${node(index).url}${path}`, { ...init, signal });
  const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await condition())) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  };
  const found = async (index: number, kind: 'blobs' | 'manifests', reference: string): Promise<boolean> => {
    const path = `/v2/${image.repository}/${kind}/${reference}?ns=${image.registry}`;
    return (await ask(index, path, { method: 'HEAD' })).status === 200;
  };
  /** The tag, and every blob: each is advertised for itself. */
  const foundWhole = async (index: number): Promise<boolean> => {
    const digests = [...image.blobs.keys()].filter((digest) => digest !== image.root.digest);
    const all = [
      found(index, 'manifests', image.tag),
      found(index, 'manifests', image.root.digest),
      ...digests.map((digest) => found(index, 'blobs', digest)),
    ];
    return (await Promise.all(all)).every(Boolean);
  };
  return {
    cluster,
    upstream,
    image,
    signal,
    events,
    nodeEvents,
    node,
    ask,
    until,
    pullOn: (index, options = {}) =>
      pull({
        reference: image.name,
        mirror: node(index).url,
        upstream: upstream.url,
        into: node(index).layout,
        signal,
        ...options,
      }),
    untilAdvertised: (index, keys = image.blobs.size + 1) =>
      until(() => {
        const last = nodeEvents[index]?.findLast((event) => event.type === 'advertised');
        return last?.type === 'advertised' && last.keys >= keys;
      }),
    untilFound: (index, manifest) =>
      until(() => (manifest === undefined ? foundWhole(index) : found(index, 'manifests', manifest))),
  };
}

/** The image's largest blob. */
export function largestOf(image: TestImage): { readonly digest: string; readonly sizeBytes: number } {
  const [largest] = [...image.blobs.values()].sort((a, b) => b.sizeBytes - a.sizeBytes);
  if (largest === undefined) throw new RangeError('an image without blobs');
  return largest;
}

export function sizeOf(image: TestImage): number {
  return [...image.blobs.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
