import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLayoutWriter } from '../testbed/index.ts';
import type { LayoutWriter } from '../testbed/index.ts';
import { startClient } from './client/client.ts';
import type { Client } from './client/client.ts';
import type { AskStatus } from './client/connection.ts';
import { versionOf } from './programs/installed.ts';
import type { ToolName } from './programs/installed.ts';
import { startMirror, untilReady } from './programs/mirror.ts';
import type { MirrorNode, MirrorProgram, NodePlace } from './programs/mirror.ts';

/** What a row measures with. What it starts here ends when the row ends. */
export interface Bench {
  /** The directory of this row. */
  readonly directory: string;
  readonly client: Client;
  /** Ours first. */
  readonly mirrors: readonly MirrorProgram[];
  /** Rounds asked for, or the row's own number. */
  rounds(usual: number): number;
  /** Less work, for a first look: its figures are no results. */
  readonly quick: boolean;
  /** A pull on a containerd node that takes longer has failed. */
  readonly patienceMs: number;
  readonly versions: Readonly<Record<ToolName, string | undefined>>;
  /** Something to be undone at the row's end, last first. */
  onEnd(undo: () => unknown): void;
  layout(name: string): Promise<LayoutWriter>;
  /** A node that is ready, in its own process. `ask` asks from where it can be reached. */
  mirror(program: MirrorProgram, place: NodePlace, ask?: AskStatus): Promise<MirrorNode>;
  say(text: string): void;
}

export interface BenchOptions {
  readonly mirrors: readonly MirrorProgram[];
  readonly rounds: number | undefined;
  readonly quick: boolean;
  readonly patienceMs: number;
  readonly say: (text: string) => void;
}

const toolNames = ['nginx', 'haproxy', 'wrk', 'ip', 'containerd'] as const;

export function toolVersions(): Bench['versions'] {
  const found = Object.fromEntries(toolNames.map((tool) => [tool, versionOf(tool)]));
  return {
    nginx: found['nginx'],
    haproxy: found['haproxy'],
    wrk: found['wrk'],
    ip: found['ip'],
    containerd: found['containerd'],
  };
}

/** Runs one row between an empty directory and nothing left behind. */
export async function withBench<T>(
  options: BenchOptions,
  versions: Bench['versions'],
  row: (bench: Bench) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'peili-bench-'));
  const undo: (() => unknown)[] = [() => rm(directory, { recursive: true, force: true })];
  const client = startClient();
  undo.push(client.stop);
  const bench: Bench = {
    directory,
    client,
    versions,
    mirrors: options.mirrors,
    quick: options.quick,
    patienceMs: options.patienceMs,
    say: options.say,
    rounds: (usual) => options.rounds ?? (options.quick ? Math.min(3, usual) : usual),
    onEnd: (step) => void undo.push(step),
    layout: (name) => createLayoutWriter(join(directory, name)),
    mirror: async (program, place, ask) => {
      const node = await startMirror(program, place);
      undo.push(node.program.stop);
      await untilReady(node, '/v2/', ask);
      return node;
    },
  };
  try {
    return await row(bench);
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

/** A B C A B C ...: what a moment of this machine does to one, it does to all. */
export async function interleave(
  rounds: number,
  subjects: readonly { readonly name: string; readonly measure: () => Promise<number> }[],
): Promise<ReadonlyMap<string, number[]>> {
  const values = new Map(subjects.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { measure, name } of subjects) values.get(name)?.push(await measure());
  }
  return values;
}
