import type { ContentStore, StoreChange } from '../ports/index.ts';
import { bodyLaws, isSameBytes, readBody } from './body-laws.ts';
import { abortedSignal, createHarness, neverAborted, patternBytes } from './harness.ts';
import type { BytesOf, Manifest, Subject, SuiteTools } from './harness.ts';

export interface ContentStoreSubject extends Subject {
  readonly store: ContentStore;
  /**
   * Puts an image there as others would (a manifest, a config, layers) and points `reference` at it. The store may notice later.
   * The same layers make the same manifest.
   */
  addImage(reference: string, layers: readonly Uint8Array[]): Promise<AddedImage>;
  removeContent(digest: string): Promise<void>;
  removeTag(reference: string): Promise<void>;
  /** Shortens the content behind the store's back; only asked for with `truncation`. */
  truncate?(digest: string, sizeBytes: number): Promise<void>;
  readonly bytesOf?: BytesOf;
}

export interface AddedImage {
  readonly manifest: AddedContent;
  readonly layers: readonly AddedContent[];
}

export interface AddedContent {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
}

/** `truncation`: the factory can shorten content. `media-types`: the store knows them. */
export type ContentStoreCapability = 'truncation' | 'media-types';

export interface ContentStoreSuiteOptions extends SuiteTools {
  readonly manifest: Manifest<ContentStoreCapability>;
  readonly factory: () => Promise<ContentStoreSubject>;
}

const reference = 'registry.example/team/app:1.0';
const otherReference = 'registry.example:5000/team/other:latest';
const absentDigest = `sha256:${'0'.repeat(64)}`;

/** The laws of `ContentStore`. */
export function contentStoreSuite({ manifest, factory, ...tools }: ContentStoreSuiteOptions): void {
  const harness = createHarness(tools, 'content store', manifest, factory);
  const { assert, law, lawOf, settle, rejects, pause } = harness;
  const large = patternBytes(2_600_000, 3);
  const small = patternBytes(700, 4);

  const seen = async (what: string, condition: () => Promise<boolean>): Promise<void> => {
    for (let pauses = 0; !(await settle(condition())); pauses += 1) {
      if (pauses === 1_000) throw new Error(`never happened: ${what}`);
      await pause();
    }
  };
  const add = async (subject: ContentStoreSubject, name = reference): Promise<AddedImage> => {
    const image = await settle(subject.addImage(name, [large, small]));
    await seen('the store has the image', async () => {
      const tag = await subject.store.resolve(name, neverAborted());
      const infos = await Promise.all(image.layers.map(({ digest }) => subject.store.info(digest, neverAborted())));
      return tag?.digest === image.manifest.digest && infos.every((info) => info?.names.includes(name) === true);
    });
    return image;
  };

  bodyLaws(harness, async (subject) => {
    const [layer = absent()] = (await add(subject)).layers;
    const { store, bytesOf } = subject;
    const open = (signal: AbortSignal) => store.open(layer.digest, 0, layer.sizeBytes, signal);
    return { open, expected: large, ...(bytesOf === undefined ? {} : { bytesOf }) };
  });

  law('an empty store has nothing', async ({ store }) => {
    assert.deepEqual(await settle(store.list(neverAborted())), { contents: [], tags: [] });
    assert.equal(await settle(store.info(absentDigest, neverAborted())), undefined);
    assert.equal(await settle(store.resolve(reference, neverAborted())), undefined);
    await rejects(store.open(absentDigest, 0, 0, neverAborted()), 'CONTENT_ABSENT');
  });

  law('an image is known by digest, size, name and tag; info() and list() say the same', async (subject) => {
    const { store } = subject;
    const image = await add(subject);
    const { contents, tags } = await settle(store.list(neverAborted()));
    for (const { digest, sizeBytes } of [image.manifest, ...image.layers]) {
      const info = await settle(store.info(digest, neverAborted()));
      assert.equal(info?.sizeBytes, sizeBytes);
      assert.deepEqual(info?.names, [reference]);
      assert.deepEqual(
        contents.find((content) => content.digest === digest),
        info,
      );
    }
    assert.equal(new Set(contents.map(({ digest }) => digest)).size, contents.length, 'each once');
    assert.deepEqual(
      tags.map((tag) => tag.reference),
      [reference],
    );
    const resolved = await settle(store.resolve(reference, neverAborted()));
    assert.equal(resolved?.digest, image.manifest.digest);
    assert.equal(tags[0]?.resolvedAtUs, resolved?.resolvedAtUs);
    assert.ok(
      Number.isSafeInteger(resolved?.resolvedAtUs) && (resolved?.resolvedAtUs ?? 0) > 1_600_000_000_000_000,
      'wall microseconds',
    );
  });

  lawOf('media-types', 'media types are known', async (subject) => {
    const image = await add(subject);
    for (const { digest, mediaType } of [image.manifest, ...image.layers]) {
      assert.equal((await settle(subject.store.info(digest, neverAborted())))?.mediaType, mediaType);
    }
  });

  law('content under two names has both; a name that is no tag here means nothing', async (subject) => {
    const { store } = subject;
    const image = await add(subject);
    await add(subject, otherReference);
    const [layer = absent()] = image.layers;
    const info = await settle(store.info(layer.digest, neverAborted()));
    assert.deepEqual(info?.names.toSorted(), [otherReference, reference].toSorted());
    assert.equal(await settle(store.resolve('registry.example/team/app:2.0', neverAborted())), undefined);
    assert.equal(await settle(store.resolve('registry.example/team/app', neverAborted())), undefined);
  });

  law('any part of a content can be opened', async (subject) => {
    const [first = absent(), second = absent()] = (await add(subject)).layers;
    for (const [content, bytes] of [
      [first, large],
      [second, small],
    ] as const) {
      const size = content.sizeBytes;
      for (const [start, end] of [
        [0, 0],
        [0, 1],
        [size, size],
        [size - 1, size],
        [1, size],
        [300, 301],
        [size >> 1, size - 3],
      ] as const) {
        const body = await settle(subject.store.open(content.digest, start, end, neverAborted()));
        const got = await settle(readBody(body, subject.bytesOf));
        assert.ok(isSameBytes(got, bytes.subarray(start, end)), `bytes ${start} to ${end} of ${size}`);
      }
    }
  });

  law('what comes and goes is said, and no longer after the watch has ended', async (subject) => {
    const { store } = subject;
    const changes: StoreChange[] = [];
    const unheard: StoreChange[] = [];
    const dispose = store.watch((change) => changes.push(change));
    const disposeOther = store.watch((change) => unheard.push(change));
    disposeOther();
    disposeOther();
    const { manifest: root, layers } = await add(subject);
    const [layer = absent()] = layers;
    const isSaid = (test: (change: StoreChange) => boolean) => () =>
      Promise.resolve(changes.some((change) => change.type === 'gap' || test(change)));
    await seen(
      'the content is said',
      isSaid((change) => change.type === 'content-added' && change.content.digest === layer.digest),
    );
    await seen(
      'the tag is said',
      isSaid(
        (change) =>
          change.type === 'tag-set' && change.tag.reference === reference && change.tag.digest === root.digest,
      ),
    );
    await settle(subject.removeTag(reference));
    await seen(
      'the tag is gone',
      isSaid((change) => change.type === 'tag-removed' && change.reference === reference),
    );
    assert.equal(await settle(store.resolve(reference, neverAborted())), undefined);
    await settle(subject.removeContent(layer.digest));
    await seen(
      'the content is gone',
      isSaid((change) => change.type === 'content-removed' && change.digest === layer.digest),
    );
    assert.equal(await settle(store.info(layer.digest, neverAborted())), undefined);
    await rejects(store.open(layer.digest, 0, 1, neverAborted()), 'CONTENT_ABSENT');
    assert.ok(
      (await settle(store.list(neverAborted()))).contents.every(({ digest }) => digest !== layer.digest),
      'it is not listed',
    );
    dispose();
    assert.deepEqual(unheard, []);
  });

  law('a tag whose content is gone means nothing', async (subject) => {
    const image = await add(subject);
    await settle(subject.removeContent(image.manifest.digest));
    await seen(
      'the tag means nothing',
      async () => (await subject.store.resolve(reference, neverAborted())) === undefined,
    );
    assert.deepEqual((await settle(subject.store.list(neverAborted()))).tags, []);
  });

  lawOf('truncation', 'a body never ends cleanly before its promised end', async (subject) => {
    const { store, truncate = absent } = subject;
    const [layer = absent()] = (await add(subject)).layers;
    const body = await settle(store.open(layer.digest, 0, layer.sizeBytes, neverAborted()));
    const first = await settle(body.next());
    assert.ok(first.done !== true, 'there are bytes');
    await settle(truncate(layer.digest, 100));
    await rejects(readBody(body, subject.bytesOf), 'STORE_FAILED');
    const again = store
      .open(layer.digest, 0, layer.sizeBytes, neverAborted())
      .then((other) => readBody(other, subject.bytesOf));
    await rejects(again, 'STORE_FAILED', 'CONTENT_ABSENT');
  });

  law('a signal that has aborted already calls nothing', async ({ store }) => {
    await rejects(store.resolve(reference, abortedSignal()), 'ABORTED');
    await rejects(store.info(absentDigest, abortedSignal()), 'ABORTED');
    await rejects(store.list(abortedSignal()), 'ABORTED');
    await rejects(store.open(absentDigest, 0, 0, abortedSignal()), 'ABORTED');
  });
}

function absent(): never {
  throw new Error('something that must be there is not');
}
