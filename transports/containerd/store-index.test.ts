import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ContentInfo, StoreChange, StoreListing, TagEntry } from '../../core/index.ts';
import type { ManifestText } from '../oci-layout/image-index.ts';
import type { ImageRecord } from './containerd-api.ts';
import { StoreIndex } from './store-index.ts';
import type { HeldContent } from './store-index.ts';
import { types } from './testing/fake-containerd.ts';

const digestOf = (at: number): string => `sha256:${String(at).padStart(64, '0')}`;
const manifestCount = 4;
const layerCount = 4;

/** Contents 0 to 3 are manifests, each pointing at some of the others, itself perhaps; 4 to 7 are layers. */
interface World {
  readonly contents: ReadonlyMap<string, HeldContent>;
  readonly images: ReadonlyMap<string, ImageRecord>;
}

type Step =
  | { readonly do: 'add' | 'remove'; readonly at: number; readonly labelled: boolean }
  | { readonly do: 'name'; readonly name: string; readonly at: number; readonly updatedAtUs: number }
  | { readonly do: 'unname'; readonly name: string }
  | { readonly do: 'tell' };

const names = [
  'r.example/a:1',
  'r.example/a:2',
  'r.example/b@' + digestOf(0),
  'r.example/c:1@' + digestOf(1),
  digestOf(2),
];
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('add' as const, 'add' as const, 'remove' as const),
    at: fc.nat(manifestCount + layerCount - 1),
    labelled: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('name' as const),
    name: fc.constantFrom(...names),
    at: fc.nat(manifestCount + layerCount - 1),
    updatedAtUs: fc.nat(3),
  }),
  fc.record({ do: fc.constant('unname' as const), name: fc.constantFrom(...names) }),
  fc.record({ do: fc.constant('tell' as const) }),
);
const pointers = fc.array(fc.array(fc.nat(manifestCount + layerCount - 1), { maxLength: 4 }), {
  minLength: manifestCount,
  maxLength: manifestCount,
});

function textOf(children: readonly number[]): ManifestText {
  const typeOf = (at: number): string => (at < manifestCount ? types.manifest : types.layer);
  return {
    mediaType: undefined,
    children: children.map((at) => ({ digest: digestOf(at), size: 1, mediaType: typeOf(at) })),
  };
}

function createIndex(): StoreIndex {
  return new StoreIndex({ namesPerImageMax: 100, manifestMaxBytes: 100, onSkipped: () => undefined });
}

function readTexts(index: StoreIndex, texts: readonly (readonly number[])[]): void {
  for (let unread = index.takeUnread(); unread.length > 0; unread = index.takeUnread()) {
    for (const { digest } of unread) index.setText(digest, textOf(texts[Number(digest.slice(7))] ?? []));
  }
}

/** What a listener knows who was told nothing but changes. */
class Told {
  readonly #contents = new Map<string, ContentInfo>();
  readonly #tags = new Map<string, TagEntry>();

  hear(change: StoreChange): void {
    if (change.type === 'content-added') this.#contents.set(change.content.digest, change.content);
    if (change.type === 'content-removed') assert.ok(this.#contents.delete(change.digest), 'only what was there goes');
    if (change.type === 'tag-set') this.#tags.set(change.tag.reference, change.tag);
    if (change.type === 'tag-removed') assert.ok(this.#tags.delete(change.reference), 'only what was there goes');
  }

  listing(): StoreListing {
    return { contents: [...this.#contents.values()], tags: [...this.#tags.values()] };
  }
}

function sorted({ contents, tags }: StoreListing): StoreListing {
  return {
    contents: contents.toSorted((one, other) => one.digest.localeCompare(other.digest)),
    tags: tags.toSorted((one, other) => one.reference.localeCompare(other.reference)),
  };
}

function apply(index: StoreIndex, world: World, next: Step): World {
  const contents = new Map(world.contents);
  const images = new Map(world.images);
  if (next.do === 'add') {
    const labels = next.labelled ? ['label.example/x'] : [];
    const content = { digest: digestOf(next.at), sizeBytes: next.at + 1, names: labels };
    contents.set(content.digest, content);
    index.setContent(content);
  } else if (next.do === 'remove') {
    contents.delete(digestOf(next.at));
    index.removeContent(digestOf(next.at));
  } else if (next.do === 'name') {
    const mediaType = next.at < manifestCount ? types.manifest : types.layer;
    const image = { name: next.name, target: { digest: digestOf(next.at), mediaType }, updatedAtUs: next.updatedAtUs };
    images.set(next.name, image);
    index.setImage(image);
  } else if (next.do === 'unname') {
    images.delete(next.name);
    index.removeImage(next.name);
  }
  return { contents, images };
}

test('store index: after any changes, in any order, it is what a fresh one would be, and so is what was told', () => {
  fc.assert(
    fc.property(pointers, fc.array(step, { maxLength: 60, size: 'max' }), (texts, steps) => {
      const index = createIndex();
      const told = new Told();
      let world: World = { contents: new Map(), images: new Map() };
      for (const next of steps) {
        world = apply(index, world, next);
        if (next.do !== 'tell') continue;
        readTexts(index, texts);
        for (const change of index.takeChanges()) told.hear(change);
      }
      readTexts(index, texts);
      for (const change of index.takeChanges()) told.hear(change);

      const fresh = createIndex();
      fresh.replaceContents([...world.contents.values()]);
      fresh.replaceImages([...world.images.values()]);
      readTexts(fresh, texts);
      fresh.takeChanges();
      assert.deepEqual(sorted(index.listing()), sorted(fresh.listing()));
      assert.deepEqual(sorted(told.listing()), sorted(index.listing()));
      // A list that says the same again changes nothing.
      index.replaceContents([...world.contents.values()]);
      index.replaceImages([...world.images.values()]);
      readTexts(index, texts);
      assert.deepEqual(index.takeChanges(), []);
    }),
    { numRuns: 1_000 },
  );
});

test('store index: a manifest that could not be read is wanted again by the next list, and gives its names then', () => {
  const index = createIndex();
  const contents = [0, 4].map((at) => ({ digest: digestOf(at), sizeBytes: 1, names: [] }));
  index.replaceContents(contents);
  index.setImage({ name: 'r.example/a:1', target: { digest: digestOf(0), mediaType: types.manifest }, updatedAtUs: 1 });
  assert.deepEqual(
    index.takeUnread().map(({ digest }) => digest),
    [digestOf(0)],
  );
  index.setUnreadable(digestOf(0));
  assert.deepEqual(index.takeUnread(), []);
  index.replaceContents(contents);
  readTexts(index, [[4]]);
  index.takeChanges();
  assert.deepEqual(index.info(digestOf(4))?.names, ['r.example/a:1']);
});

test('store index: what one change touches is what is told', () => {
  const index = createIndex();
  for (let at = 0; at < 8; at += 1) index.setContent({ digest: digestOf(at), sizeBytes: 1, names: [] });
  index.takeChanges();
  index.setImage({ name: 'r.example/a:1', target: { digest: digestOf(0), mediaType: types.manifest }, updatedAtUs: 1 });
  readTexts(index, [[4, 5]]);
  const told = index
    .takeChanges()
    .map((change) => (change.type === 'content-added' ? change.content.digest : change.type));
  assert.deepEqual(told.toSorted(), [digestOf(0), digestOf(4), digestOf(5), 'tag-set']);
});

/** Documents that each name the next one and `others` of the same contents, each `times` times; how many of them are asked for. */
function readChain(length: number, others: number, times: number): number {
  const index = new StoreIndex({ namesPerImageMax: 50, manifestMaxBytes: 1000, onSkipped: () => undefined });
  for (let at = 0; at < length; at += 1) index.setContent({ digest: digestOf(at), sizeBytes: 1, names: [] });
  const target = { digest: digestOf(0), mediaType: types.index };
  index.setImage({ name: 'r.example/a:1', target, updatedAtUs: 1 });
  const shared = Array.from({ length: others * times }, (_, at) => ({
    digest: digestOf(1000 + (at % others)),
    size: 1,
    mediaType: types.layer,
  }));
  let read = 0;
  for (let unread = index.takeUnread(); unread.length > 0; unread = index.takeUnread()) {
    for (const { digest } of unread) {
      read += 1;
      const next = { digest: digestOf(Number(digest.slice(7)) + 1), size: 1, mediaType: types.index };
      index.setText(digest, { mediaType: undefined, children: [...shared, next] });
    }
  }
  return read;
}

test('store index: what one document names a thousand times counts once', () => {
  assert.equal(readChain(40, 2, 1000), 40);
});

test('store index: documents that all point at the same contents are read as long as that costs little', () => {
  const read = readChain(40, 9, 1);
  assert.ok(read >= 10 && read <= 21, `${read} documents of 10 pointers each, of 200 pointers in all`);
});

test('store index: what is beyond the bound of an image is not told of by it either', () => {
  const index = new StoreIndex({ namesPerImageMax: 2, manifestMaxBytes: 1000, onSkipped: () => undefined });
  const pointer = (at: number, mediaType: string) => ({ digest: digestOf(at), size: 1, mediaType });
  for (const at of [0, 1, 2, 3]) index.setContent({ digest: digestOf(at), sizeBytes: 1, names: [] });
  const hostile = [pointer(2, types.config), pointer(3, types.index)];
  index.setImage({ name: 'r.example/hostile:1', target: pointer(0, types.manifest), updatedAtUs: 1 });
  index.takeUnread();
  index.setText(digestOf(0), { mediaType: undefined, children: hostile });
  index.takeChanges();
  index.setImage({ name: 'r.example/a:1', target: pointer(1, types.manifest), updatedAtUs: 1 });
  index.takeUnread();
  index.setText(digestOf(1), { mediaType: undefined, children: [pointer(3, types.layer)] });
  index.takeChanges();
  assert.deepEqual([index.info(digestOf(3))?.mediaType, index.takeUnread()], [types.layer, []]);
});
