import { reasonOf } from '../../core/index.ts';
import type { Clock, Limits, Observer, StoreChange } from '../../core/index.ts';
import { readBlob } from '../system/blob-file.ts';
import { createEarliestTimer } from '../system/earliest-timer.ts';
import { createRuns } from '../system/runs.ts';
import { parseManifest } from './image-index.ts';
import type { Descriptor } from './image-index.ts';
import { blobPath, readBlobSizes, readLayoutIndex } from './layout-files.ts';
import { createLayoutWatch } from './layout-watch.ts';
import { changesBetween, emptySnapshot, takeSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/** Keeps a snapshot of a layout up to date. */
export interface LayoutScans {
  snapshot(): Snapshot;
  /** Reads the directory; resolves when a scan that began after the call has ended. Rejects with `STORE_FAILED`. */
  scan(): Promise<void>;
  close(): void;
  pending(): number;
}

export interface LayoutScansDeps {
  readonly clock: Clock;
  readonly observer: Observer;
  readonly onChange: (change: StoreChange) => void;
}

export interface LayoutScansOptions {
  readonly directory: string;
  readonly limits: Limits;
}

/** A scan is followed by at least so many times its own duration of rest. */
const restPerScan = 4;

export function createLayoutScans(deps: LayoutScansDeps, { directory, limits }: LayoutScansOptions): LayoutScans {
  const { clock, observer, onChange } = deps;
  const state: ScanState = { snapshot: emptySnapshot, roots: undefined, failure: undefined, tookUs: 0 };
  const childrenOf = createChildren(directory, limits);
  const onSkipped = once((name) => {
    observer.onNode({ type: 'name-skipped', name, reason: 'it is no registry/repository:tag' });
  });

  const readDirectory = async (): Promise<void> => {
    await watch.renew();
    const index = await readLayoutIndex(directory).catch((error: unknown) => failed(error));
    // Whoever replaces index.json in place leaves it half written for a moment: the names are then the last known ones.
    if ('roots' in index) state.roots = index.roots;
    const sizes = await readBlobSizes(directory);
    const before = state.snapshot;
    const wallUs = clock.wallUs();
    const isFirst = before === emptySnapshot && 'roots' in index;
    const resolvedAtUs = isFirst ? Math.min(wallUs, index.modifiedAtUs) : wallUs;
    const roots = state.roots ?? [];
    state.snapshot = await takeSnapshot({ roots, sizes, childrenOf, resolvedAtUs, last: before, onSkipped });
    childrenOf.keepOnly(sizes);
    for (const change of changesBetween(before, state.snapshot)) onChange(change);
    if ('failure' in index) throw index.failure;
  };

  const runScan = async (): Promise<void> => {
    const startUs = clock.nowUs();
    try {
      await readDirectory();
      state.failure = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : reasonOf(error);
      if (state.failure !== reason) observer.onNode({ type: 'store-failed', reason });
      state.failure = reason;
      rescan.after(limits.storeScanRetryUs);
      throw error;
    } finally {
      state.tookUs = clock.nowUs() - startUs;
    }
  };

  const runs = createRuns(runScan);
  const rescan = createEarliestTimer(clock, () => {
    // A failure has been reported, and the next try is on its way.
    runs.run().catch(() => undefined);
  });
  const watch = createLayoutWatch({
    directory,
    onChange: () => {
      rescan.after(Math.max(limits.storeScanDelayUs, state.tookUs * restPerScan));
    },
    onGap: (reason) => {
      onChange({ type: 'gap', reason });
      rescan.after(limits.storeScanRetryUs);
    },
  });

  const close = (): void => {
    watch.close();
    rescan.close();
  };
  return { snapshot: () => state.snapshot, scan: runs.run, close, pending: () => runs.pending() + rescan.pending() };
}

interface ScanState {
  snapshot: Snapshot;
  roots: readonly Descriptor[] | undefined;
  failure: string | undefined;
  tookUs: number;
}

function failed(error: unknown): { readonly failure: unknown } {
  return { failure: error };
}

function once(call: (name: string) => void): (name: string) => void {
  const said = new Set<string>();
  return (name) => {
    if (said.has(name)) return;
    said.add(name);
    call(name);
  };
}

interface Children {
  (descriptor: Descriptor): Promise<readonly Descriptor[]>;
  keepOnly(present: ReadonlyMap<string, number>): void;
}

/** What manifests point at, read once each: content does not change. */
function createChildren(directory: string, limits: Limits): Children {
  const known = new Map<string, readonly Descriptor[]>();
  const childrenOf = async ({ digest, size }: Descriptor): Promise<readonly Descriptor[]> => {
    const before = known.get(digest);
    if (before !== undefined) return before;
    if (size > limits.manifestMaxBytes) return [];
    const file = { path: blobPath(directory, digest), digest, sizeBytes: size };
    const bytes = await readBlob(file).catch(() => undefined);
    if (bytes === undefined) return [];
    const found = parseManifest(new TextDecoder().decode(bytes)).children;
    known.set(digest, found);
    return found;
  };
  const keepOnly = (present: ReadonlyMap<string, number>): void => {
    for (const digest of known.keys()) if (!present.has(digest)) known.delete(digest);
  };
  return Object.assign(childrenOf, { keepOnly });
}
