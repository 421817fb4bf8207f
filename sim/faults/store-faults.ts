import type { SimStore } from '../containerd/sim-store.ts';
import type { EventFault } from '../containerd/store-view.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { SimNode, World } from '../run/world.ts';
import { nothing } from './end.ts';
import type { End } from './end.ts';
import type { FaultOf } from './fault.ts';

/** What happens to the files of a node's containerd, and to what it tells of them. */
export function beginStoreFault(
  world: World,
  { name, store }: SimNode,
  what: FaultOf<'corrupt' | 'remove-layers' | 'read-error' | 'truncate' | 'slow-disk' | 'store-events'>,
): End {
  switch (what.kind) {
    case 'slow-disk':
      store.slowReads(what.bytesPerSecond);
      return () => {
        store.slowReads(undefined);
      };
    case 'store-events':
      store.disturbEvents(eventFaultOf(what, world.random.fork(`store events:${name}`)));
      return () => {
        store.disturbEvents(undefined);
      };
    case 'remove-layers':
      for (const { digest } of layersOf(world)) store.remove(digest);
      return nothing;
    default:
      return breakFiles(world, store, what);
  }
}

/** Files of layers that are there. What is pulled anew is whole again. */
function breakFiles(world: World, store: SimStore, what: FaultOf<'corrupt' | 'read-error' | 'truncate'>): End {
  const layers = [...layersOf(world)].filter(({ digest, sizeBytes }) => store.has(digest) && sizeBytes > 0);
  for (const { digest, sizeBytes } of layers) {
    if (what.kind === 'corrupt') store.corrupt(digest, what.atByte % sizeBytes);
    else if (what.kind === 'read-error') store.files.failReads(digest, what.atByte % sizeBytes);
    else store.files.truncate(digest, what.toBytes % sizeBytes);
  }
  if (what.kind === 'corrupt') return nothing;
  return () => {
    for (const { digest } of layers) store.files.mend(digest);
  };
}

function eventFaultOf({ delayUs = 500_000, how }: FaultOf<'store-events'>, random: SimRandom): EventFault {
  switch (how) {
    case 'reorder':
      return { kind: how, delayUs, random };
    case 'delay':
      return { kind: how, delayUs };
    default:
      return { kind: how };
  }
}

function* layersOf({ images }: World): Iterable<{ readonly digest: string; readonly sizeBytes: number }> {
  for (const { layers } of images.values()) yield* layers;
}
