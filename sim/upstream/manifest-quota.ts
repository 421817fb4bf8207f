import type { ManifestLimit } from './upstream-spec.ts';

interface Window {
  readonly beganUs: number;
  gets: number;
}

/** Counts GETs of manifests, by whom they are counted for. */
export class ManifestQuota {
  readonly #limit: ManifestLimit;
  readonly #windows = new Map<string, Window>();

  constructor(limit: ManifestLimit) {
    this.#limit = limit;
  }

  /** Undefined: it may; else in how many seconds it may. */
  take(node: string, nowUs: number): number | undefined {
    const { gets, per = 'cluster', windowUs } = this.#limit;
    const whom = per === 'cluster' ? '' : node;
    const known = this.#windows.get(whom);
    const window = known === undefined || nowUs - known.beganUs >= windowUs ? { beganUs: nowUs, gets: 0 } : known;
    this.#windows.set(whom, window);
    if (window.gets >= gets) return Math.ceil((window.beganUs + windowUs - nowUs) / 1_000_000);
    window.gets += 1;
    return undefined;
  }
}
