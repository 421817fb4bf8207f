import { open, writeFile } from 'node:fs/promises';
import { createCriClient } from '../../transports/index.ts';
import type { CriClient } from '../../transports/index.ts';
import { until } from './conditions.ts';
import { containerdConfig } from './containerd-config.ts';
import type { ContainerdOptions } from './containerd-config.ts';
import { lastWords } from './log-file.ts';
import type { Namespace } from './namespace.ts';
import { handleOf } from './process-handle.ts';
import type { ProcessHandle } from './process-handle.ts';

/** A node's containerd. Its store survives its process. */
export interface Containerd {
  /** Throws while it is not running. */
  readonly pid: number;
  isRunning(): boolean;
  /** A client of the process that runs now. Throws while none does. */
  readonly cri: CriClient;
  /** Starts it and waits until CRI answers. Options given here are kept for later starts. */
  start(options?: ContainerdOptions): Promise<void>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Stop and start. */
  restart(options?: ContainerdOptions): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Where it logs, as a path of this process. */
  readonly logFile: string;
}

export interface ContainerdPlaces {
  /** Paths of this process. */
  readonly configFile: string;
  readonly socket: string;
  readonly logFile: string;
}

/** A first start on two busy cores takes half a second. */
const startTimeoutMs = 30_000;

export function createContainerd(
  namespace: Namespace,
  places: ContainerdPlaces,
  initial: ContainerdOptions,
): Containerd {
  const state: { options: ContainerdOptions; running: { process: ProcessHandle; cri: CriClient } | undefined } = {
    options: initial,
    running: undefined,
  };
  const running = (): { process: ProcessHandle; cri: CriClient } => {
    if (state.running === undefined) throw new Error('containerd is not running on this node');
    return state.running;
  };
  const start = async (options: ContainerdOptions = {}): Promise<void> => {
    if (state.running !== undefined) throw new Error('containerd runs on this node already');
    state.options = { ...state.options, ...options };
    await writeFile(places.configFile, containerdConfig(state.options));
    const process = await spawnContainerd(namespace, state.options.program ?? 'containerd', places.logFile);
    state.running = { process, cri: await answeringClient(process, places) };
  };
  const end = async (how: (process: ProcessHandle) => Promise<unknown>): Promise<void> => {
    const { process, cri } = running();
    state.running = undefined;
    cri.close();
    await how(process);
  };
  const stop = (): Promise<void> => end((process) => process.stop());
  return {
    get pid() {
      return running().process.pid;
    },
    get cri() {
      return running().cri;
    },
    isRunning: () => state.running !== undefined,
    logFile: places.logFile,
    start,
    stop,
    kill: () => end((process) => process.kill()),
    restart: async (options) => {
      await stop();
      await start(options);
    },
    freeze: () => {
      running().process.freeze();
    },
    thaw: () => {
      running().process.thaw();
    },
  };
}

async function spawnContainerd(namespace: Namespace, program: string, logFile: string): Promise<ProcessHandle> {
  const log = await open(logFile, 'a');
  try {
    return handleOf(namespace.spawn([program], { stdio: ['ignore', log.fd, log.fd] }));
  } finally {
    await log.close();
  }
}

async function answeringClient(process: ProcessHandle, { socket, logFile }: ContainerdPlaces): Promise<CriClient> {
  const state: { client: CriClient | undefined } = { client: undefined };
  try {
    await until(
      'containerd answers',
      async () => {
        if (!process.isRunning()) throw new Error('containerd ended at its start');
        // A client that failed waits longer and longer before it tries again: a new one each time.
        const client = createCriClient({ socket });
        const answers = await client.version(AbortSignal.timeout(1000)).then(
          () => true,
          () => false,
        );
        if (answers) state.client = client;
        else client.close();
        return answers;
      },
      startTimeoutMs,
    );
  } catch (error) {
    await process.kill();
    throw new Error(`a node without containerd:\n${await lastWords(logFile)}`, { cause: error });
  }
  if (state.client === undefined) throw new Error('containerd answered nobody');
  return state.client;
}
