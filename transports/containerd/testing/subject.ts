import { truncate } from 'node:fs/promises';
import type { AddedContent, ContentStoreSubject } from '../../../core/conformance/index.ts';
import { defaultLimits, limitsWith } from '../../../core/index.ts';
import type { Descriptor } from '../../oci-layout/image-index.ts';
import { createBufferPool } from '../../system/buffer-pool.ts';
import { createSystemClock } from '../../system/clock.ts';
import { createContainerdStore } from '../containerd-store.ts';
import { createFakeContainerd } from './fake-containerd.ts';

/** `files`: as on a node. `rpc`: the files cannot be seen, everything comes through the socket. */
export async function createSubject(through: 'files' | 'rpc'): Promise<ContentStoreSubject> {
  const containerd = await createFakeContainerd();
  if (through === 'rpc') containerd.exportedRoot = '/nonexistent';
  const clock = createSystemClock();
  const buffers = createBufferPool(defaultLimits);
  // The store's own timers are no call's: what calls leave behind is counted by a clock of their own.
  const { socket } = containerd;
  // What changes must be told by a file or an event: the second look would find it too.
  const limits = limitsWith({ storeScanRetryUs: 60_000_000 });
  const store = createContainerdStore({ clock: createSystemClock(), buffers }, { socket, namespace: 'k8s.io', limits });
  await store.list(new AbortController().signal);
  return {
    store,
    addImage: async (reference, contents) => {
      const { root, layers } = await containerd.addImage(reference, contents);
      return { manifest: added(root), layers: layers.map(added) };
    },
    removeContent: async (digest) => {
      await containerd.removeBlob(digest);
      // Nothing tells of it where no file is seen: it is found out by the list that a node makes every minute.
      if (through === 'rpc') await store.list(new AbortController().signal);
    },
    removeTag: async (reference) => {
      containerd.removeImage(reference);
    },
    truncate: (digest, sizeBytes) => truncate(containerd.file(digest), sizeBytes),
    pending: () => store.pending() + buffers.pending() + clock.pending(),
    close: async () => {
      store.close();
      await containerd.remove();
    },
  };
}

function added({ digest, size, mediaType = '' }: Descriptor): AddedContent {
  return { digest, sizeBytes: size, mediaType };
}
