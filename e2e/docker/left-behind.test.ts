import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { until } from '../../testbed/index.ts';

const execute = promisify(execFile);
const program = ['cli/main.ts', 'testbed'];

async function testbed(...args: readonly string[]): Promise<string> {
  return (await execute(process.execPath, [...program, ...args])).stdout;
}

/** Its line of `peili testbed list`, by its name, which has the process in it. */
async function lineOf(pid: number | undefined): Promise<string | undefined> {
  return (await testbed('list')).split('\n').find((line) => line.startsWith(`peili-${pid}-`));
}

test('a testbed of containers whose process is killed is told as left behind, and taken down by the next command', async (context) => {
  const up = spawn(process.execPath, [...program, 'up', '--driver', 'docker', '--nodes', '1'], { stdio: 'ignore' });
  context.after(() => up.kill('SIGKILL'));
  await until('it is listed', async () => (await lineOf(up.pid)) !== undefined, 60_000);
  const [name = '', , ...whose] = (await lineOf(up.pid))?.split('  ') ?? [];
  assert.deepEqual(whose, [`of process ${up.pid}`]);
  const containers = async (): Promise<string> =>
    (await execute('docker', ['ps', '--all', '--quiet', '--filter', `network=${name}`])).stdout;
  await until('its container is there', async () => (await containers()) !== '', 60_000);
  const gone = once(up, 'exit');
  up.kill('SIGKILL');
  await gone;
  assert.match((await lineOf(up.pid)) ?? '', /left behind$/);
  assert.match(await testbed('down'), new RegExp(`${name} is gone`));
  assert.equal(await lineOf(up.pid), undefined);
  assert.equal((await execute('docker', ['ps', '--all', '--quiet', '--filter', `name=${name}`])).stdout, '');
  assert.equal(existsSync(join(tmpdir(), name)), false);
});
