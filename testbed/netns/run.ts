import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
/** What is run to its end here takes milliseconds; importing an image takes a while. */
const timeLimitMs = 120_000;
const outputMaxBytes = 64 * 1024 * 1024;

/** Runs a command to its end: its output. Rejects with what it said. */
export async function run(
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  const [program = '', ...args] = command;
  const { stdout } = await execute(program, args, { env, timeout: timeLimitMs, maxBuffer: outputMaxBytes });
  return stdout;
}
