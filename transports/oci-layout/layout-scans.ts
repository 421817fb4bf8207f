import { reasonOf } from '../../core/index.ts';
import type { Clock, Limits, Observer, StoreChange, Timer } from '../../core/index.ts';
import { readBlob } from '../system/blob-file.ts';
import { parseChildren } from './image-index.ts';
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
  const rescan = createRescan(clock, () => {
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

/** One run at a time; who asks during a run gets the next one. */
function createRuns(work: () => Promise<void>): { run(): Promise<void>; pending(): number } {
  const state: { running: Promise<void> | undefined; following: Promise<void> | undefined } = {
    running: undefined,
    following: undefined,
  };
  const run = (): Promise<void> => {
    if (state.running === undefined) {
      state.running = work().finally(() => {
        state.running = undefined;
      });
      return state.running;
    }
    state.following ??= state.running
      .catch(() => undefined)
      .then(() => {
        state.following = undefined;
        return run();
      });
    return state.following;
  };
  return { run, pending: () => (state.running === undefined ? 0 : 1) };
}

/** One timer for all reasons to look again: an earlier time replaces a later one. */
function createRescan(
  clock: Clock,
  rescan: () => void,
): { after(delayUs: number): void; close(): void; pending(): number } {
  const state: { timer: Timer | undefined; atUs: number; closed: boolean } = {
    timer: undefined,
    atUs: 0,
    closed: false,
  };
  const cancel = (): void => {
    state.timer?.cancel();
    state.timer = undefined;
  };
  return {
    after: (delayUs) => {
      const atUs = clock.nowUs() + delayUs;
      if (state.closed || (state.timer !== undefined && state.atUs <= atUs)) return;
      cancel();
      state.atUs = atUs;
      state.timer = clock.schedule(delayUs, () => {
        state.timer = undefined;
        rescan();
      });
    },
    close: () => {
      state.closed = true;
      cancel();
    },
    pending: () => (state.timer === undefined ? 0 : 1),
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
    const found = parseChildren(new TextDecoder().decode(bytes));
    known.set(digest, found);
    return found;
  };
  const keepOnly = (present: ReadonlyMap<string, number>): void => {
    for (const digest of known.keys()) if (!present.has(digest)) known.delete(digest);
  };
  return Object.assign(childrenOf, { keepOnly });
}
