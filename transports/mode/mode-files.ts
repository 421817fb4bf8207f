import { readFile } from 'node:fs/promises';
import { mirrorModes, reasonOf } from '../../core/index.ts';
import type { Clock, Limits, MirrorMode, NodeEvent } from '../../core/index.ts';
import { createRepeatingTask } from '../system/repeating-task.ts';

export interface ModeFilesOptions {
  /** The strictest of them counts. None: on. */
  readonly paths: readonly string[];
  readonly limits: Pick<Limits, 'modeReadIntervalUs'>;
}

/** What files say about how much a mirror does, read again and again. */
export interface ModeFiles {
  /** What they said last. */
  mode(): MirrorMode;
  /** Tells what they say now, and each change from then on. */
  follow(onMode: (mode: MirrorMode) => void): void;
  /** Reads no more. Idempotent. */
  close(): void;
}

/**
 * Reads files with one word each: `on`, `serve-only` or `off`. By reading and not by watching: a ConfigMap's file is a link into a folder that is replaced, and
 * a watch that is lost would be a switch that does nothing when it is needed. A file that is not there at the start says `on`; one that vanishes, cannot be
 * read or says anything else is told of as `mode-failed`, and what it said before holds.
 */
export async function openModeFiles(
  { clock, onNode }: { readonly clock: Clock; readonly onNode: (event: NodeEvent) => void },
  { paths, limits }: ModeFilesOptions,
): Promise<ModeFiles> {
  const said = new Map<string, MirrorMode>();
  let tell: (mode: MirrorMode) => void = () => undefined;
  const readOne = async (path: string): Promise<void> => {
    try {
      said.set(path, modeOf(await readFile(path, 'utf8')));
    } catch (error) {
      if (!said.has(path) && isAbsent(error)) return;
      onNode({ type: 'mode-failed', reason: `${path}: ${reasonOf(error)}` });
    }
  };
  const readAll = async (): Promise<void> => {
    await Promise.all(paths.map(readOne));
  };
  const mode = (): MirrorMode => mirrorModes.findLast((each) => [...said.values()].includes(each)) ?? 'on';
  const reading = createRepeatingTask(clock, async ({ aborted }) => {
    const before = mode();
    await readAll();
    if (!aborted && mode() !== before) tell(mode());
    return limits.modeReadIntervalUs;
  });
  await readAll();
  if (paths.length > 0) reading.start(limits.modeReadIntervalUs);
  return {
    mode,
    follow: (onMode) => {
      tell = onMode;
      onMode(mode());
    },
    close: () => {
      reading.stop();
    },
  };
}

function modeOf(text: string): MirrorMode {
  const word = text.trim();
  const mode = mirrorModes.find((each) => each === word);
  if (mode !== undefined) return mode;
  throw new Error(`it says ${JSON.stringify(word.slice(0, 40))}: write on, serve-only or off`);
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
