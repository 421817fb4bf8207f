import type { ArtifactOptions, ImageOptions } from '../image.ts';
import type { ContentCount } from '../upstream.ts';
import type { AddressPlan } from './addresses.ts';
import type { Namespace } from './namespace.ts';
import { dropPackets } from './network.ts';
import type { Link, LinkBytes } from './network.ts';
import type { Part } from './part-process.ts';
import type { PlacedImage, UpstreamCalls } from './part-protocol.ts';

/** The registry that everything comes from at first: a process in a namespace of its own. */
export interface UpstreamNode {
  /** As images are named: `registry.example:5000`. */
  readonly registry: string;
  readonly url: string;
  readonly address: string;
  /** Generates an image and serves it. The name without registry, `team/app:1.0`, gets this one's. */
  addImage(options: ImageOptions): Promise<PlacedImage>;
  addArtifact(options: ArtifactOptions): Promise<PlacedImage>;
  /** From here on it has never heard of the image. */
  removeImage(image: { readonly name: string }): Promise<void>;
  /** Bodies given out since the start or the last reset, by digest. */
  counts(): Promise<ReadonlyMap<string, ContentCount>>;
  bytesServed(): Promise<number>;
  resetCounts(): Promise<void>;
  /** Everything on its cable, headers too. */
  linkBytes(): Promise<LinkBytes>;
  /** `refused`: RST, to open connections too; `black-hole`: packets vanish; `stalled`: connections stay, without a byte. One at a time. */
  cut(how: 'refused' | 'black-hole' | 'stalled'): Promise<void>;
  /** Ends what `cut` did. */
  restore(): Promise<void>;
  /** Caps what it sends; undefined: no cap. */
  setRate(bitsPerSecond: number | undefined): Promise<void>;
  readonly link: Link;
}

export interface UpstreamPlaces {
  readonly registry: string;
  readonly url: string;
  readonly address: string;
  readonly plan: AddressPlan;
}

export function createUpstreamNode(
  namespace: Namespace,
  link: Link,
  part: Part<UpstreamCalls>,
  { registry, url, address, plan }: UpstreamPlaces,
): UpstreamNode {
  const state: { undrop: (() => Promise<void>) | undefined } = { undrop: undefined };
  const named = (name: string): string => (name.startsWith(`${registry}/`) ? name : `${registry}/${name}`);
  const counts = (): Promise<ReadonlyMap<string, ContentCount>> => part.call('counts');
  const restore = async (): Promise<void> => {
    await state.undrop?.();
    state.undrop = undefined;
    await part.call('restore');
  };
  return {
    registry,
    url,
    address,
    link,
    addImage: (options) => part.call('addImage', { ...options, name: named(options.name) }),
    addArtifact: (options) => part.call('addArtifact', { ...options, name: named(options.name) }),
    removeImage: ({ name }) => part.call('removeImage', name),
    counts,
    bytesServed: async () => [...(await counts()).values()].reduce((sum, { bytes }) => sum + bytes, 0),
    resetCounts: () => part.call('resetCounts'),
    linkBytes: link.bytes,
    restore,
    cut: async (how) => {
      await restore();
      if (how === 'refused') await part.call('cut');
      else if (how === 'stalled') await part.call('stall');
      else state.undrop = await dropPackets(namespace, plan);
    },
    setRate: (bitsPerSecond) => link.setRate(bitsPerSecond, 'send'),
  };
}
