import type { Limits } from '../limits.ts';
import { createBoundedMap } from './bounded-map.ts';

/** Sizes of content, learned from manifests whose digest was right: a liar's length does not win against them. */
export interface SizeMemory {
  sizeBytes(digest: string): number | undefined;
  /** Learns the sizes that a verified manifest gives for what it points at. Anything but a manifest teaches nothing. */
  learn(manifest: Uint8Array): void;
}

export function createSizeMemory(limits: Pick<Limits, 'sizeMemoryMax'>): SizeMemory {
  const sizes = createBoundedMap<string, number | 'disputed'>(limits.sizeMemoryMax);
  // A digest proves a manifest's bytes, not its author's honesty: two manifests that disagree about a size leave it unknown.
  const learnOne = ({ digest, size }: SizedDescriptor): void => {
    const known = sizes.get(digest);
    sizes.set(digest, known === undefined || known === size ? size : 'disputed');
  };
  return {
    sizeBytes: (digest) => {
      const size = sizes.get(digest);
      return size === 'disputed' ? undefined : size;
    },
    learn: (manifest) => {
      for (const descriptor of descriptorsOf(parseJson(manifest))) learnOne(descriptor);
    },
  };
}

interface SizedDescriptor {
  readonly digest: string;
  readonly size: number;
}

/** The descriptors of an image manifest, index or artifact manifest (image-spec `manifest.md`, `image-index.md`; Docker schema 2 alike). */
function descriptorsOf(manifest: unknown): SizedDescriptor[] {
  if (!isObject(manifest)) return [];
  const fields = ['config', 'layers', 'manifests', 'blobs', 'subject'].flatMap((name) => manifest[name] ?? []);
  return fields.flatMap((field) => {
    if (!isObject(field)) return [];
    const { digest, size } = field as { digest?: unknown; size?: unknown };
    return typeof digest === 'string' && typeof size === 'number' && Number.isSafeInteger(size) && size >= 0
      ? [{ digest, size }]
      : [];
  });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined; // A manifest of an unknown kind need not be JSON.
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
