import type { TracedLayer, TracedPull } from './pull-trace.ts';

/** Something that containerd said has happened; times in milliseconds since the recording began. */
export type RuntimeEvent =
  /** An image that was there before. */
  | { readonly type: 'known'; readonly name: string; readonly target: string }
  /** Content has been committed (`/content/create`, from 2.1 on; before, a new file under `blobs/`). */
  | { readonly type: 'content'; readonly atMs: number; readonly digest: string }
  /** A name has been given, perhaps again (`/images/create`, `/images/update`). */
  | {
      readonly type: 'image';
      readonly atMs: number;
      readonly name: string;
      /** The digest that it stands for now. */
      readonly target: string;
      /** Index, manifest and config: what comes before layers. */
      readonly documents: readonly string[];
      readonly layers: readonly TracedLayer[];
    }
  | { readonly type: 'image-removed'; readonly name: string };

export interface PullRecorderOptions {
  readonly node: string;
  readonly zone: string;
  /** Content that nobody has named after so long is forgotten. @default 1 h */
  readonly forgetAfterMs?: number;
}

/**
 * Turns what a node's containerd says into pulls of a trace. containerd tells no beginning of a pull: it is that of the first content that came and that nobody has
 * named, at the latest that of the name. A pull that fetched nothing, since all of it was there, is a pull all the same when it gives a new name; one that failed is none.
 */
export class PullRecorder {
  readonly #options: PullRecorderOptions;
  /** Content that came and is not of any image yet, by its digest, and when it came. */
  readonly #unnamed = new Map<string, number>();
  /** What each name stands for. */
  readonly #targets = new Map<string, string>();

  constructor(options: PullRecorderOptions) {
    this.#options = options;
  }

  /** The pull that has ended with this event, if one has. */
  take(event: RuntimeEvent): TracedPull | undefined {
    switch (event.type) {
      case 'known':
        this.#targets.set(event.name, event.target);
        return undefined;
      case 'image-removed':
        this.#targets.delete(event.name);
        return undefined;
      case 'content':
        this.#forget(event.atMs);
        // Said twice, by an event and by a file: it came at the first.
        if (!this.#unnamed.has(event.digest)) this.#unnamed.set(event.digest, event.atMs);
        return undefined;
      case 'image':
        return this.#end(event);
    }
  }

  #end({ atMs, documents, layers, name, target }: RuntimeEvent & { readonly type: 'image' }): TracedPull | undefined {
    const image = pulledName(name);
    if (image === undefined) return undefined;
    const cameMs = [...documents, ...layers.map(({ digest }) => digest)].flatMap((digest) => {
      const came = this.#unnamed.get(digest);
      this.#unnamed.delete(digest);
      return came === undefined ? [] : [came];
    });
    // CRI gives a name again to put labels on it.
    const isLabelled = this.#targets.get(name) === target && cameMs.length === 0;
    this.#targets.set(name, target);
    // Of a pull by tag it keeps a name with the digest too, after the one with the tag, which has taken what came.
    if (isLabelled || (name.includes('@') && cameMs.length === 0)) return undefined;
    const beganMs = cameMs.reduce((first, came) => Math.min(first, came), atMs);
    const { node, zone } = this.#options;
    return { atMs: beganMs, node, zone, image, layers, tookMs: atMs - beganMs };
  }

  #forget(nowMs: number): void {
    const { forgetAfterMs = 3_600_000 } = this.#options;
    for (const [digest, cameMs] of this.#unnamed) {
      if (nowMs - cameMs <= forgetAfterMs) return;
      this.#unnamed.delete(digest);
    }
  }
}

/** As a trace has it, with a tag; what was pulled by its digest has one that is made of it. Undefined for names that nobody pulls, such as CRI's own for ids. */
function pulledName(name: string): string | undefined {
  const [, repository, tag] = /^([^@]+\/[^@]*?)(?::([^/@]+))?(?:@.*)?$/.exec(name) ?? [];
  const [, algorithm = '', hex = ''] = /@(\w+):([0-9a-f]{12})/.exec(name) ?? [];
  if (repository === undefined) return undefined;
  if (hex !== '') return `${repository}:${algorithm}-${hex}`;
  return tag === undefined ? undefined : name;
}
