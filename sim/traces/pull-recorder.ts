import type { TracedLayer, TracedPull } from './pull-trace.ts';

/** Something that containerd said has happened; times in milliseconds since the recording began. */
export type RuntimeEvent =
  /** Content has been committed (`/content/create`, from 2.1 on; before, a new file under `blobs/`). */
  | { readonly type: 'content'; readonly atMs: number; readonly digest: string }
  /** A name has been given (`/images/create`, `/images/update`); `layers`: of the manifest that it leads to. */
  | { readonly type: 'image'; readonly atMs: number; readonly name: string; readonly layers: readonly TracedLayer[] };

export interface PullRecorderOptions {
  readonly node: string;
  readonly zone: string;
  /** Content that nobody has named after so long is forgotten. @default 1 h */
  readonly forgetAfterMs?: number;
}

/**
 * Turns what a node's containerd says into pulls of a trace. containerd tells no beginning of a pull: it is that of the first content that came and that nobody has
 * named, at the latest that of the name. A pull that fetched nothing, since all of it was there, is a pull all the same; one that failed is none.
 */
export class PullRecorder {
  readonly #options: PullRecorderOptions;
  /** Content that came and is not of any image yet, by its digest, and when it came. */
  readonly #unnamed = new Map<string, number>();

  constructor(options: PullRecorderOptions) {
    this.#options = options;
  }

  /** The pull that has ended with this event, if one has. */
  take(event: RuntimeEvent): TracedPull | undefined {
    const { atMs } = event;
    if (event.type === 'content') {
      this.#forget(atMs);
      this.#unnamed.set(event.digest, atMs);
      return undefined;
    }
    // CRI keeps records under the image's id and its digest too: no names that anybody pulls.
    if (!/\/.*:[^/@]+$/.test(event.name) || event.name.includes('@')) return undefined;
    let beganMs = atMs;
    for (const { digest } of event.layers) {
      beganMs = Math.min(beganMs, this.#unnamed.get(digest) ?? atMs);
      this.#unnamed.delete(digest);
    }
    const { node, zone } = this.#options;
    return { atMs: beganMs, node, zone, image: event.name, layers: event.layers, tookMs: atMs - beganMs };
  }

  #forget(nowMs: number): void {
    const { forgetAfterMs = 3_600_000 } = this.#options;
    for (const [digest, cameMs] of this.#unnamed) {
      if (nowMs - cameMs <= forgetAfterMs) return;
      this.#unnamed.delete(digest);
    }
  }
}
