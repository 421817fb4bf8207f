import type { Clock, Limits, Observer, StoreChange } from '../../core/index.ts';
import type { ContainerdApi } from './containerd-api.ts';
import { createContentPlace } from './content-place.ts';
import type { ContentPlace } from './content-place.ts';
import { StoreIndex } from './store-index.ts';
import { createStoreLink } from './store-link.ts';
import type { StoreLink } from './store-link.ts';
import { createStoreReader } from './store-reader.ts';
import { createStoreTurns } from './store-turns.ts';
import type { StoreTurns } from './store-turns.ts';

/** The index of what containerd holds, and what keeps it true. */
export interface FollowedStore {
  readonly index: StoreIndex;
  readonly place: ContentPlace;
  readonly turns: StoreTurns;
  readonly link: StoreLink;
}

export interface FollowStoreDeps {
  readonly clock: Clock;
  readonly api: ContainerdApi;
  readonly observer: Observer;
  readonly onChange: (change: StoreChange) => void;
}

export interface FollowStoreOptions {
  readonly contentPath: string | undefined;
  readonly limits: Limits;
}

/** Files and events say when to look, containerd says what there is: puts the parts together and starts them. */
export function followStore(deps: FollowStoreDeps, { contentPath, limits }: FollowStoreOptions): FollowedStore {
  const { clock, api, observer, onChange } = deps;
  const index = new StoreIndex({
    namesPerImageMax: limits.storeNamesPerImageMax,
    manifestMaxBytes: limits.manifestMaxBytes,
    onSkipped: (name) => {
      observer.onNode({ type: 'name-skipped', name, reason: 'it is no registry/repository:tag' });
    },
  });
  const place = createContentPlace(api, contentPath, {
    onContent: (digest) => {
      turns.contentChanged(digest);
    },
    onAnything: () => {
      turns.somethingChanged(limits.storeScanDelayUs);
    },
    onGap: () => {
      turns.somethingChanged(limits.storeScanRetryUs);
    },
  });
  const { blobs } = place;
  const reader = createStoreReader({ api, index, blobs, beforeReading: place.watch }, limits);
  const onRead = (): void => {
    for (const change of index.takeChanges()) onChange(change);
  };
  const turns = createStoreTurns({ clock, reader, isWatching: () => blobs().isVisible(), onRead }, limits);
  const link = createStoreLink(
    { clock, api, turns },
    {
      limits,
      prepare: place.find,
      onState: (connected, reason, attempts) => {
        const told = connected ? `${reason}, ${place.inWords()}` : reason;
        observer.onNode({ type: 'store-connection', store: 'containerd', connected, reason: told });
        // Who could not list before may list now.
        if (connected && attempts > 1) onChange({ type: 'gap', reason: 'containerd answers again' });
      },
    },
  );
  link.start();
  return { index, place, turns, link };
}
