import { createArtifact, createImage } from '../image.ts';
import type { ArtifactOptions, ImageOptions, TestImage } from '../image.ts';
import type { PlacedImage } from '../netns/part-protocol.ts';

/** Images that an upstream of the same process serves, the newest first: a tag means the first that has it. */
export interface Shelf {
  readonly images: readonly TestImage[];
  addImage(options: ImageOptions): Promise<PlacedImage>;
  addArtifact(options: ArtifactOptions): Promise<PlacedImage>;
}

/** Names without the registry get it in front. */
export function createShelf(registry: () => string): Shelf {
  const images: TestImage[] = [];
  const named = <Options extends { readonly name: string }>(options: Options): Options => ({
    ...options,
    name: options.name.startsWith(`${registry()}/`) ? options.name : `${registry()}/${options.name}`,
  });
  const add = (image: TestImage): PlacedImage => {
    images.unshift(image);
    return image;
  };
  return {
    images,
    addImage: async (options) => add(await createImage(named(options))),
    addArtifact: async (options) => add(await createArtifact(named(options))),
  };
}
