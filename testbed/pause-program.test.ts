import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { pauseProgram } from './index.ts';

const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
const skip = process.platform === 'linux' ? false : 'a Linux program';

test('the program that waits: the kernel runs it, and it waits until it is killed', { skip }, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'peili-pause-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'pause');
  await writeFile(file, pauseProgram(architecture), { mode: 0o755 });
  const child = spawn(file, { stdio: 'ignore' });
  await once(child, 'spawn');
  const stat = await readFile(`/proc/${child.pid}/stat`, 'latin1');
  // Running or asleep, not a zombie.
  assert.match(stat, /\) [RS] /);
  child.kill('SIGTERM');
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  assert.deepEqual([code, signal], [null, 'SIGTERM']);
});
