import assert from 'node:assert/strict';
import type { Ability, PlacedImage, Testbed, TestbedNode } from '../../testbed/index.ts';

/** What holds on every testbed that can do what it needs. Laws share one testbed of three nodes, which is whole when each of them begins. */
export interface Law {
  readonly name: string;
  /** @default nothing but nodes and an upstream */
  readonly needs?: readonly Ability[];
  /** Minutes: only where its driver was asked for by name. */
  readonly isLong?: true;
  prove(scene: Scene): Promise<void>;
}

export interface Scene extends Testbed {
  /** An image that nobody has seen before. */
  freshImage(layerBytes?: readonly number[]): Promise<PlacedImage>;
  /** One that the first node holds and the second finds there; what the upstream gave for it is forgotten. */
  heldImage(layerBytes?: readonly number[]): Promise<PlacedImage>;
  /** The node has all of the image, and the upstream gave nothing since the last `heldImage`. */
  assertFromMembers(node: TestbedNode, image: PlacedImage): Promise<void>;
}

const smallLayers: readonly number[] = [3_000_000, 200_000];
const numbers = { images: 0 };

export function openScene(testbed: Testbed): Scene {
  const { upstream, untilFound } = testbed;
  const [holder, asker] = [testbed.node(0), testbed.node(1)];
  const freshImage = (layerBytes = smallLayers): Promise<PlacedImage> => {
    numbers.images += 1;
    const layers = layerBytes.map((sizeBytes) => ({ sizeBytes }));
    return upstream.addImage({ name: `team/law-${numbers.images}:1.0`, seed: numbers.images, layers });
  };
  return {
    ...testbed,
    freshImage,
    heldImage: async (layerBytes) => {
      const image = await freshImage(layerBytes);
      await holder.pull(image.name);
      await untilFound(asker, image);
      await upstream.resetCounts();
      return image;
    },
    assertFromMembers: async (node, image) => {
      assert.ok(await node.holds(image), `${node.name} lacks a part of ${image.name}`);
      assert.equal(await upstream.bytesServed(), 0, 'the upstream gave something');
    },
  };
}

export function sizeOf({ blobs }: PlacedImage): number {
  return [...blobs.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** The image's largest blob. */
export function largestOf({ blobs }: PlacedImage): { readonly digest: string; readonly sizeBytes: number } {
  const [digest, { sizeBytes }] = [...blobs].reduce((a, b) => (b[1].sizeBytes > a[1].sizeBytes ? b : a));
  return { digest, sizeBytes };
}
