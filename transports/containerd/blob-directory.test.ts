import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createBlobDirectory } from './blob-directory.ts';
import type { BlobDirectory } from './blob-directory.ts';
import type { ContentRecord } from './containerd-api.ts';

const record = (letter: string): ContentRecord => ({ digest: `sha256:${letter.repeat(64)}`, sizeBytes: 1, labels: {} });
const [first, second] = [record('a'), record('b')];

async function place(context: TestContext): Promise<{ blobs: BlobDirectory; write(of: ContentRecord): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'peili-blobs-'));
  context.after(() => rm(directory, { recursive: true }));
  const write = async ({ digest }: ContentRecord): Promise<void> => {
    const path = join(directory, 'blobs', ...digest.split(':'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, 'x');
  };
  return { blobs: createBlobDirectory(directory), write };
}

test('files: the only content went between the list and the look: it is gone, and files are read from here on', async (context) => {
  const { blobs, write } = await place(context);
  assert.deepEqual(await blobs.wholeOf([first], () => Promise.resolve([])), []);
  assert.equal(blobs.isVisible(), true);
  assert.equal(await blobs.isWhole(first, () => Promise.resolve(false)), false);
  assert.equal(blobs.isVisible(), true);
  await write(second);
  assert.deepEqual(await blobs.wholeOf([first], () => Promise.resolve([second])), [second]);
  assert.equal(blobs.isVisible(), true);
});

test('files: content that stays without a file is elsewhere, and comes through the socket', async (context) => {
  for (const look of [
    (blobs: BlobDirectory) => blobs.wholeOf([first], () => Promise.resolve([first])),
    async (blobs: BlobDirectory) => ((await blobs.isWhole(first, () => Promise.resolve(true))) ? [first] : []),
  ]) {
    const { blobs } = await place(context);
    assert.deepEqual(await look(blobs), [first]);
    assert.equal(blobs.isVisible(), false);
    assert.equal(blobs.file(first), undefined);
  }
});
