import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PeiliError } from '../../core/index.ts';
import { formatCase, huntInThreads } from '../../sim/index.ts';
import type { KeptFind } from '../../sim/index.ts';
import { createSystemClock } from '../../transports/index.ts';
import { caseOf, omissionsOf, replayOf, sayFind, sayProgress, saySummary } from './hunt-summary.ts';
import type { HuntOptions } from './sim-commands.ts';
import { sayFileTrouble } from './file-trouble.ts';
import type { SimIo } from './sim-io.ts';

const interrupted = 130;

/**
 * Draws scenarios, seed after seed, with all laws watched, for so long; what breaks one is made small, and printed as a line that replays it: then the code is 1, as it
 * is when a long hunt was silent about something that it is meant to see.
 */
export async function hunt(options: HuntOptions, { progress, signal, writeOut }: SimIo): Promise<number> {
  const { budgetUs, json, save, seed, shard, workers } = options;
  if (save !== undefined) await makeFolder(save);
  const clock = createSystemClock();
  const startUs = clock.nowUs();
  const seconds = (): number => (clock.nowUs() - startUs) / 1_000_000;
  const finds: KeptFind[] = [];
  const result = await huntInThreads({
    clock,
    budgetUs,
    firstSeed: seed,
    shard,
    workers,
    signal,
    onProgress: (each) => {
      progress.progress(sayProgress(each, seconds(), budgetUs / 1_000_000));
    },
    onFound: (find) => {
      finds.push(find);
      writeOut(json ? `${JSON.stringify({ ...find, replay: replayOf(find) })}\n` : sayFind(find));
    },
  });
  if (save !== undefined) for (const file of await saveAll(save, finds)) progress.line(`Saved ${file}`);
  const { found, ...rest } = result;
  const omissions = omissionsOf(result);
  if (json) writeOut(`${JSON.stringify({ ...rest, ...omissions, seconds: seconds(), stopped: signal.aborted })}\n`);
  else writeOut(saySummary(result, seconds(), signal.aborted));
  if (signal.aborted) return interrupted;
  return found.length + omissions.missed.length + omissions.unreachable.length === 0 ? 0 : 1;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw cannotSave(folder, error);
  }
}

async function saveAll(folder: string, finds: readonly KeptFind[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const find of finds) {
    const file = join(folder, `${find.violation.oracle}-seed-${find.seed}.json`);
    try {
      await writeFile(file, formatCase(caseOf(find)));
    } catch (error) {
      throw cannotSave(file, error);
    }
    files.push(file);
  }
  return files;
}

function cannotSave(place: string, error: unknown): PeiliError {
  const why = sayFileTrouble(error);
  return new PeiliError('OPTION_INVALID', `--save ${JSON.stringify(place)} cannot be written: ${why}`, {}, error);
}
