import { test } from 'node:test';
import assert from 'node:assert/strict';
import { truncate } from 'node:fs/promises';
import { contentStoreSuite } from '../../core/conformance/index.ts';
import type { AddedContent, ContentStoreSubject } from '../../core/conformance/index.ts';
import { defaultLimits } from '../../core/index.ts';
import { createBufferPool } from '../system/buffer-pool.ts';
import { createSystemClock } from '../system/clock.ts';
import type { Descriptor } from './image-index.ts';
import { blobPath } from './layout-files.ts';
import { createLayoutFixture, named } from './testing/layout-fixture.ts';
import { createOciLayoutStore } from './oci-layout-store.ts';

async function createSubject(): Promise<ContentStoreSubject> {
  const layout = await createLayoutFixture();
  const clock = createSystemClock();
  const buffers = createBufferPool(defaultLimits);
  const store = await createOciLayoutStore({ clock, buffers }, { directory: layout.directory });
  const roots = new Map<string, Descriptor>();
  const writeIndex = () => layout.index([...roots].map(([name, root]) => named(root, name)));
  return {
    store,
    addImage: async (reference, contents) => {
      const { root, layers } = await layout.image(contents);
      roots.set(reference, root);
      await writeIndex();
      return { manifest: added(root), layers: layers.map(added) };
    },
    removeContent: layout.removeBlob,
    removeTag: async (reference) => {
      roots.delete(reference);
      await writeIndex();
    },
    truncate: (digest, sizeBytes) => truncate(blobPath(layout.directory, digest), sizeBytes),
    pending: () => store.pending() + buffers.pending() + clock.pending(),
    close: async () => {
      store.close();
      await layout.remove();
    },
  };
}

function added({ digest, size, mediaType = '' }: Descriptor): AddedContent {
  return { digest, sizeBytes: size, mediaType };
}

contentStoreSuite({
  test,
  assert,
  pause: () => new Promise((resolve) => setTimeout(resolve, 2)),
  manifest: { name: 'oci-layout', supports: { truncation: true, 'media-types': true } },
  factory: createSubject,
});
