import { nameOf } from '../../core/index.ts';
import type { ContentInfo, StoreChange, StoreListing, TagEntry } from '../../core/index.ts';
import { mayHaveChildren, nameIn } from './image-index.ts';
import type { Descriptor } from './image-index.ts';

/** The layout at one moment. */
export interface Snapshot {
  readonly contents: ReadonlyMap<string, ContentInfo>;
  /** Tag references to what they mean, present content only. */
  readonly tags: ReadonlyMap<string, TagEntry>;
}

export const emptySnapshot: Snapshot = { contents: new Map(), tags: new Map() };

export interface SnapshotInput {
  readonly roots: readonly Descriptor[];
  /** Sizes of the files that are there. */
  readonly sizes: ReadonlyMap<string, number>;
  /** What a present manifest points at. */
  readonly childrenOf: (descriptor: Descriptor) => Promise<readonly Descriptor[]>;
  /** When a tag seen now was resolved, unless the last snapshot knows it. */
  readonly resolvedAtUs: number;
  readonly last: Snapshot;
  readonly onSkipped: (name: string) => void;
}

interface Seen {
  readonly descriptors: Descriptor[];
  readonly names: Set<string>;
}

/** Walks from the roots to all content and gives it the names of the roots that lead there; files that no root leads to have none. */
export async function takeSnapshot(input: SnapshotInput): Promise<Snapshot> {
  const seen = new Map<string, Seen>();
  const tagged = new Map<string, string>();
  for (const root of input.roots) {
    const name = nameIn(root);
    if (name !== undefined && 'skipped' in name) input.onSkipped(name.skipped);
    const reference = name === undefined || 'skipped' in name ? undefined : name;
    if (reference?.tag !== undefined) tagged.set(nameOf(reference), root.digest);
    await walk(root, reference === undefined ? undefined : nameOf(reference), seen, input);
  }
  const contents = new Map<string, ContentInfo>();
  for (const [digest, sizeBytes] of input.sizes) {
    const info = infoOf(digest, sizeBytes, seen.get(digest));
    if (info !== undefined) contents.set(digest, info);
  }
  const tags = new Map<string, TagEntry>();
  for (const [reference, digest] of tagged) {
    if (!contents.has(digest)) continue;
    const known = input.last.tags.get(reference);
    tags.set(reference, known?.digest === digest ? known : { reference, digest, resolvedAtUs: input.resolvedAtUs });
  }
  return { contents, tags };
}

async function walk(
  root: Descriptor,
  name: string | undefined,
  seen: Map<string, Seen>,
  input: SnapshotInput,
): Promise<void> {
  const visited = new Set<string>();
  const waiting = [root];
  for (let descriptor = waiting.pop(); descriptor !== undefined; descriptor = waiting.pop()) {
    const entry = seen.get(descriptor.digest) ?? { descriptors: [], names: new Set() };
    seen.set(descriptor.digest, entry);
    entry.descriptors.push(descriptor);
    if (name !== undefined) entry.names.add(name);
    // Content may be pointed at twice, and a wrong file could point at itself.
    if (visited.has(descriptor.digest)) continue;
    visited.add(descriptor.digest);
    const isWhole = input.sizes.get(descriptor.digest) === descriptor.size;
    if (isWhole && mayHaveChildren(descriptor)) waiting.push(...(await input.childrenOf(descriptor)));
  }
}

/** Undefined for a file that has not the size that those who point at it say: half written, or wrong. */
function infoOf(digest: string, sizeBytes: number, seen: Seen | undefined): ContentInfo | undefined {
  if (seen === undefined) return { digest, sizeBytes, names: [] };
  const fitting = seen.descriptors.filter(({ size }) => size === sizeBytes);
  if (fitting.length === 0) return undefined;
  const mediaType = fitting.find((descriptor) => descriptor.mediaType !== undefined)?.mediaType;
  const names = [...seen.names].sort();
  return { digest, sizeBytes, names, ...(mediaType === undefined ? {} : { mediaType }) };
}

export function listingOf(snapshot: Snapshot): StoreListing {
  return { contents: [...snapshot.contents.values()], tags: [...snapshot.tags.values()] };
}

/** What happened between two snapshots. Content whose names or type changed is reported as added again. */
export function changesBetween(before: Snapshot, after: Snapshot): readonly StoreChange[] {
  const changes: StoreChange[] = [];
  for (const [reference, tag] of before.tags) {
    if (!after.tags.has(reference)) changes.push({ type: 'tag-removed', reference: tag.reference });
  }
  for (const digest of before.contents.keys()) {
    if (!after.contents.has(digest)) changes.push({ type: 'content-removed', digest });
  }
  for (const [digest, content] of after.contents) {
    const known = before.contents.get(digest);
    if (known === undefined || !isSame(known, content)) changes.push({ type: 'content-added', content });
  }
  for (const [reference, tag] of after.tags) {
    if (before.tags.get(reference)?.digest !== tag.digest) changes.push({ type: 'tag-set', tag });
  }
  return changes;
}

function isSame(one: ContentInfo, other: ContentInfo): boolean {
  return (
    one.sizeBytes === other.sizeBytes &&
    one.mediaType === other.mediaType &&
    one.names.length === other.names.length &&
    one.names.every((name, index) => name === other.names[index])
  );
}
