import type { ImageSpec, PullSpec } from '../scenario/scenario.ts';
import type { PullTrace, TracedLayer } from './pull-trace.ts';

/** A trace as the parts of a scenario. */
export interface TraceWorkload {
  /** By index, as they first appear. */
  readonly nodeNames: readonly string[];
  readonly zoneOf: readonly string[];
  readonly images: readonly ImageSpec[];
  readonly workload: readonly PullSpec[];
}

/**
 * What a trace makes a cluster do. A tag that means other layers later is another image from then on, `1-moved-1` for `1`: in the simulator a name is one content,
 * and whoever pulls it asks for what it meant then.
 */
export function workloadOfTrace({ pulls }: PullTrace): TraceWorkload {
  const nodes = new Map<string, { readonly index: number; zone: string }>();
  const images = new Map<string, ImageSpec>();
  const versions = new Map<string, string[]>();
  const workload = pulls.map(({ atMs, image, layers, node: name, zone }): PullSpec => {
    const node = nodes.get(name) ?? { index: nodes.size, zone };
    nodes.set(name, node);
    // The zone may become known later than the node.
    if (node.zone === '') node.zone = zone;
    const known = versions.get(image) ?? [];
    versions.set(image, known);
    const content = layers.map(({ digest }) => digest).join(' ');
    if (!known.includes(content)) known.push(content);
    const version = known.indexOf(content);
    const versioned = version === 0 ? image : `${image}-moved-${version}`;
    if (!images.has(versioned)) images.set(versioned, imageOf(versioned, layers));
    return { atUs: atMs * 1_000, node: node.index, image: versioned };
  });
  return {
    nodeNames: [...nodes.keys()],
    zoneOf: [...nodes.values()].map(({ zone }) => zone),
    images: [...images.values()],
    workload,
  };
}

function imageOf(name: string, layers: readonly TracedLayer[]): ImageSpec {
  return {
    name,
    layerBytes: layers.map(({ sizeBytes }) => sizeBytes),
    layerLabels: layers.map(({ digest }) => digest),
  };
}
