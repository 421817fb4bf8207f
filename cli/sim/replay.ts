import { readFile } from 'node:fs/promises';
import { PeiliError } from '../../core/index.ts';
import {
  formatScenario,
  formatTraceJson,
  formatTraceText,
  parseCase,
  parseReplay,
  policies,
  ReplayError,
  runReplay,
} from '../../sim/index.ts';
import type { Replay } from '../../sim/index.ts';
import { scenarioNamed } from './named-scenario.ts';
import type { ReplayOptions } from './sim-commands.ts';
import { sayFileTrouble } from './file-trouble.ts';
import type { SimIo } from './sim-io.ts';

/** Does a run again up to the event at which it failed, and prints what happened last: 1 when a law was broken. */
export async function replay(
  { replay: given, last: lastMax, json, yaml }: ReplayOptions,
  { signal, writeOut }: SimIo,
): Promise<number> {
  const asked = await readReplay(given);
  if (yaml) {
    writeOut(formatScenario(asked.scenario));
    return 0;
  }
  checkPolicy(asked);
  const { result, failure, last } = await runReplay(asked, {
    lastMax,
    onWorld: ({ kernel }) => {
      signal.addEventListener('abort', () => {
        kernel.stop();
      });
    },
  });
  for (const event of last) writeOut(`${json ? formatTraceJson(event) : formatTraceText(event)}\n`);
  if (result === undefined) throw failure;
  const { hash, events, violations } = result;
  if (json) writeOut(`${JSON.stringify({ type: 'result', hash, events, violations })}\n`);
  else {
    writeOut(`\n${events} events, hash ${hash}\n`);
    for (const { oracle, message } of violations) writeOut(`✘ the law ${oracle} was broken: ${message}\n`);
    if (violations.length === 0) writeOut('✔ no law was broken\n');
  }
  if (signal.aborted) return 130;
  return violations.length === 0 ? 0 : 1;
}

/** The line itself, or a file that has it, or a case. */
async function readReplay(given: string): Promise<Replay> {
  const isLine = given.startsWith('peili-sim:');
  const text = isLine ? given : await textOf(given);
  try {
    return text.trimStart().startsWith('{') ? replayOfCase(text) : parseReplay(text, scenarioNamed);
  } catch (error) {
    const isForeseen = error instanceof ReplayError || error instanceof RangeError || error instanceof SyntaxError;
    if (!isForeseen) throw error;
    const message = isLine ? error.message : `${JSON.stringify(given)}: ${error.message}`;
    throw new PeiliError('OPTION_INVALID', message, {}, error);
  }
}

/** One of your own is known to your program alone. */
function checkPolicy({ policy }: Replay): void {
  if (Object.hasOwn(policies, policy)) return;
  const names = Object.keys(policies).join(', ');
  throw new PeiliError('OPTION_INVALID', `there is no policy ${JSON.stringify(policy)} here: there are ${names}`);
}

function replayOfCase(text: string): Replay {
  const { scenario, seed } = parseCase(text);
  return { scenario, seed, policy: 'peili' };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = sayFileTrouble(error);
    const message = `${JSON.stringify(file)} is no replay (peili-sim:1:...), and no file of one or of a case: ${why}`;
    throw new PeiliError('OPTION_INVALID', message, { file }, error);
  }
}
