import { readFile } from 'node:fs/promises';

const linesMax = 15;

/** The end of a log, for an error's message: the file is gone with its capsule. */
export async function lastWords(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '(no log)');
  return text.trimEnd().split('\n').slice(-linesMax).join('\n');
}
