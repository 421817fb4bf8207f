import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { MirrorMode } from '../../core/index.ts';
import { createSystemClock } from '../system/clock.ts';
import { openModeFiles } from './mode-files.ts';
import type { ModeFiles } from './mode-files.ts';

const limits = { modeReadIntervalUs: 2_000 };

interface Subject {
  readonly folder: string;
  readonly reasons: string[];
  readonly files: ModeFiles;
  /** Resolves once the mode is this one. */
  until(mode: MirrorMode): Promise<void>;
  untilFailed(pattern: RegExp): Promise<void>;
}

/** Files by name, as they are at the start; undefined: not there. */
async function subject(t: TestContext, names: Readonly<Record<string, string | undefined>>): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), 'peili-mode-'));
  for (const [name, text] of Object.entries(names)) if (text !== undefined) await writeFile(join(folder, name), text);
  const reasons: string[] = [];
  let changed = Promise.withResolvers<void>();
  const wake = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const onNode = (event: { type: string; reason?: string }): void => {
    reasons.push(event.reason ?? event.type);
    wake();
  };
  const paths = Object.keys(names).map((name) => join(folder, name));
  const files = await openModeFiles({ clock: createSystemClock(), onNode }, { paths, limits });
  const modes = [files.mode()];
  files.follow((mode) => {
    modes.push(mode);
    wake();
  });
  t.after(async () => {
    files.close();
    await rm(folder, { recursive: true });
  });
  return {
    folder,
    reasons,
    files,
    until: async (mode) => {
      while (modes.at(-1) !== mode) await changed.promise;
      assert.equal(files.mode(), mode);
    },
    untilFailed: async (pattern) => {
      while (!reasons.some((reason) => pattern.test(reason))) await changed.promise;
    },
  };
}

test('mode: a word in a file, with whatever space an editor leaves', async (t) => {
  for (const [text, mode] of [
    ['on', 'on'],
    ['serve-only\n', 'serve-only'],
    ['  off \r\n', 'off'],
  ] as const) {
    const { files } = await subject(t, { mode: text });
    assert.equal(files.mode(), mode);
  }
});

test('mode: without a file, or before there is one, it is on, and that is no failure', async (t) => {
  const { files, folder, reasons, until } = await subject(t, { mode: undefined });
  assert.equal(files.mode(), 'on');
  await writeFile(join(folder, 'mode'), 'off');
  await until('off');
  assert.deepEqual(reasons, []);
});

test('mode: a change is told, and back', async (t) => {
  const { folder, until } = await subject(t, { mode: 'on' });
  await writeFile(join(folder, 'mode'), 'off');
  await until('off');
  await writeFile(join(folder, 'mode'), 'on');
  await until('on');
});

test('mode: the strictest of several files counts', async (t) => {
  const { files, folder, until } = await subject(t, { all: 'on', some: 'serve-only' });
  assert.equal(files.mode(), 'serve-only');
  await writeFile(join(folder, 'all'), 'off');
  await until('off');
  await writeFile(join(folder, 'all'), 'on');
  await until('serve-only');
});

test('mode: a file that says something else, or vanishes, is told of, and what it said before holds', async (t) => {
  const { files, folder, untilFailed, until } = await subject(t, { mode: 'off' });
  const path = join(folder, 'mode');
  await writeFile(path, 'of');
  await untilFailed(/it says "of": write on, serve-only or off/);
  assert.equal(files.mode(), 'off');
  await unlink(path);
  await untilFailed(/ENOENT/);
  assert.equal(files.mode(), 'off');
  await writeFile(path, 'on');
  await until('on');
});

test("mode: a ConfigMap's folder, where a link to the folder with the files is replaced", async (t) => {
  const { folder } = await subject(t, {});
  const renew = async (name: string, text: string): Promise<void> => {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'mode'), text);
    await symlink(name, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  await renew('..1', 'on');
  await symlink('..data/mode', join(folder, 'mode'));
  const modes: MirrorMode[] = [];
  const told = Promise.withResolvers<void>();
  const failures: unknown[] = [];
  const deps = { clock: createSystemClock(), onNode: (event: unknown) => void failures.push(event) };
  const files = await openModeFiles(deps, { paths: [join(folder, 'mode')], limits });
  files.follow((mode) => {
    modes.push(mode);
    if (mode === 'serve-only') told.resolve();
  });
  await renew('..2', 'serve-only');
  await told.promise;
  files.close();
  assert.deepEqual([modes, failures], [['on', 'serve-only'], []]);
});
