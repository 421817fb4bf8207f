import { createImage } from '../testbed/index.ts';
import type { TestImage } from '../testbed/index.ts';

const mebibyte = 1024 * 1024;

/** An image like those people pull: a large base layer, two of an application, a small one of configuration. */
export function createDemoImage(): Promise<TestImage> {
  const sizes = [96, 24, 8, 0.25];
  return createImage({
    name: 'registry.example/demo/app:1.0',
    layers: sizes.map((size) => ({ sizeBytes: Math.round(size * mebibyte) })),
  });
}
