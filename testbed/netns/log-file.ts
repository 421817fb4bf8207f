import { cp, mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';

const linesMax = 15;

/** The end of a log, for an error's message: the file is gone with its capsule. */
export async function lastWords(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '(no log)');
  return text.trimEnd().split('\n').slice(-linesMax).join('\n');
}

/** Copies the nodes' logs to where `PEILI_TESTBED_LOGS` says; without it nothing is kept. */
export async function keepLogs(clusterDirectory: string): Promise<void> {
  const target = process.env['PEILI_TESTBED_LOGS'];
  if (target === undefined || target === '') return;
  const folder = join(target, `${new Date().toISOString().replaceAll(':', '-')}-${process.pid}`);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(clusterDirectory)) {
    if (!name.startsWith('node-')) continue;
    await cp(join(clusterDirectory, name, 'logs'), join(folder, name), { recursive: true });
  }
}
