import type { Limits } from '../limits.ts';
import { isDigest } from '../requests/grammar.ts';
import { createBoundedMap } from './bounded-map.ts';

/** The digests of no bytes (FIPS 180-4): the one case where a digest says the size. */
const emptyDigests: ReadonlySet<string> = new Set([
  'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
]);

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
      if (emptyDigests.has(digest)) return 0;
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
    // Only digests: a manifest's author could have whole megabytes remembered in the place of each.
    return typeof digest === 'string' &&
      isDigest(digest) &&
      typeof size === 'number' &&
      Number.isSafeInteger(size) &&
      size >= 0
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
