import { dirname, join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { NetnsNode } from '../../testbed/index.ts';

export const program: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../cli/main.ts', import.meta.url)),
];

export interface ProgramOutcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command of this program on a node, as its operator does. */
export async function peili(node: NetnsNode, ...argv: readonly string[]): Promise<ProgramOutcome> {
  const child = node.spawn([...program, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: '/root',
      NO_COLOR: '1',
      // The next start of the same sources takes half the time.
      NODE_COMPILE_CACHE: join(dirname(node.files.directory), 'compile-cache'),
    },
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('its output is not piped');
  const ended = new Promise<number | null>((resolve) => void child.once('close', resolve));
  const [out, err, code] = await Promise.all([text(stdout), text(stderr), ended]);
  return { code, out, err };
}

/** Every registry by these mirrors; the node's own one unless others are named. */
export async function configure(
  node: NetnsNode,
  mirrors: readonly string[] = ['http://127.0.0.1:5000'],
  ...flags: readonly string[]
): Promise<void> {
  const { code, err } = await peili(node, 'configuration', '--mirror-targets', ...mirrors, ...flags);
  if (code !== 0) throw new Error(`configuration: ${err}`);
}
