import { open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { defaultLimits, PeiliError } from '../../core/index.ts';
import { pullLines, PullRecorder, traceHead } from '../../sim/index.ts';
import type { RuntimeEvent, TracedPull } from '../../sim/index.ts';
import { createSystemClock, followRuntime } from '../../transports/index.ts';
import type { RuntimeSign } from '../../transports/index.ts';
import type { RecordOptions } from './record-options.ts';
import { sayFileTrouble } from './file-trouble.ts';
import type { SimIo } from './sim-io.ts';
import { many, sayTime } from './words.ts';

const progressEveryMs = 500;

/** Writes what a node's containerd pulls as a trace, each pull when it has ended: whatever ends the recording, the file is whole. */
export async function record(options: RecordOptions, { progress, signal, writeOut }: SimIo): Promise<number> {
  const { contentPath, forUs, namespace, node, output, socket, zone } = options;
  const clock = createSystemClock();
  const startUs = clock.nowUs();
  const end = new AbortController();
  const recorder = new PullRecorder({ node, zone });
  const file = await openTrace(output);
  const trace = new TraceFile(file, Math.floor(clock.wallUs() / 1_000), () => {
    end.abort();
  });
  const onSign = (sign: RuntimeSign): void => {
    if (sign.type === 'gap') progress.line(`Pulls are not recorded until containerd answers again: ${sign.reason}`);
    if (sign.type === 'connected')
      progress.line(`Recording what containerd ${sign.version} pulls into ${output}; Ctrl-C ends it.`);
    const event = eventOf(sign, startUs);
    const pull = event === undefined ? undefined : recorder.take(event);
    if (pull !== undefined) trace.write(pull);
  };
  const timer = setInterval(() => {
    const last = trace.last === undefined ? '' : `, the last one ${trace.last.image}`;
    const passedUs = clock.nowUs() - startUs;
    const of = forUs === undefined ? '' : ` of ${sayTime(forUs)}`;
    progress.progress(`Recording ${node} · ${sayTime(passedUs)}${of} · ${many(trace.pulls, 'pull')}${last}`);
  }, progressEveryMs);
  const stop = (): void => {
    end.abort();
  };
  signal.addEventListener('abort', stop);
  const over = forUs === undefined ? undefined : clock.schedule(forUs, stop);
  try {
    if (signal.aborted) stop();
    const runtime = { socket, namespace, contentPath, limits: defaultLimits, onSign };
    await followRuntime({ clock }, runtime, end.signal);
  } catch (error) {
    // Nothing has been recorded, and the next try needs the name.
    if (trace.pulls === 0) await unlink(output);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    over?.cancel();
    clearInterval(timer);
    await trace.close();
  }
  writeOut(`${many(trace.pulls, 'pull')} in ${output}\n${trace.pulls === 0 ? '' : `peili sim run ${output}\n`}`);
  return 0;
}

/** Undefined: nothing that a trace tells. */
function eventOf(sign: RuntimeSign, startUs: number): RuntimeEvent | undefined {
  const atMs = 'atUs' in sign ? Math.max(0, Math.floor((sign.atUs - startUs) / 1_000)) : 0;
  switch (sign.type) {
    case 'gap':
    case 'connected':
      return undefined;
    case 'content':
      return { type: 'content', atMs, digest: sign.digest };
    case 'image':
      return { type: 'image', atMs, name: sign.name, ...sign.image };
    case 'known':
    case 'image-removed':
      return sign;
  }
}

/** Lines in the order in which they came, one after the other. */
class TraceFile {
  readonly #file: FileHandle;
  readonly #line = pullLines();
  readonly #onFailed: () => void;
  #written: Promise<void>;
  #failure: unknown;
  pulls = 0;
  last: TracedPull | undefined;

  constructor(file: FileHandle, startedAtMs: number, onFailed: () => void) {
    this.#file = file;
    this.#onFailed = onFailed;
    this.#written = this.#append(traceHead({ startedAtMs }));
  }

  write(pull: TracedPull): void {
    this.pulls += 1;
    this.last = pull;
    const line = this.#line(pull);
    this.#written = this.#written.then(() => this.#append(line));
  }

  /** Rejects where something could not be written. */
  async close(): Promise<void> {
    await this.#written;
    await this.#file.close();
    if (this.#failure !== undefined) throw cannotWrite('the trace', this.#failure);
  }

  async #append(line: string): Promise<void> {
    try {
      if (this.#failure === undefined) await this.#file.appendFile(`${line}\n`);
    } catch (error) {
      this.#failure = error;
      this.#onFailed();
    }
  }
}

/** A new one: nobody loses a day's recording to an arrow key. */
async function openTrace(output: string): Promise<FileHandle> {
  try {
    return await open(output, 'wx');
  } catch (error) {
    throw cannotWrite(`--output ${JSON.stringify(output)}`, error);
  }
}

function cannotWrite(what: string, error: unknown): PeiliError {
  const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
  const why = isThere ? 'is there already: give another name' : `cannot be written: ${sayFileTrouble(error)}`;
  return new PeiliError('OPTION_INVALID', `${what} ${why}`, {}, error);
}
