import { setFlagsFromString } from 'node:v8';
import type { SimCommand } from './sim-commands.ts';
import type { SimIo } from './sim-io.ts';

/** Does what `peili sim ...` was asked for: the exit code. */
export async function sim(command: SimCommand, io: SimIo): Promise<number> {
  // By itself the heap may grow to several times what is alive before it is collected: a thousand nodes take a fifth less so, for a fifth more time.
  setFlagsFromString('--heap-growing-percent=90');
  try {
    return await runCommand(command, io);
  } finally {
    io.progress.clear();
  }
}

/** Each is loaded when it is needed. */
async function runCommand(command: SimCommand, io: SimIo): Promise<number> {
  switch (command.type) {
    case 'run':
      return (await import('./run.ts')).run(command, io);
    case 'list':
      return (await import('./list.ts')).list(command, io);
    case 'check':
      return (await import('./check.ts')).check(command, io);
    case 'hunt':
      return (await import('./hunt.ts')).hunt(command, io);
    case 'replay':
      return (await import('./replay.ts')).replay(command, io);
    case 'mutations':
      return (await import('./mutations.ts')).mutations(command, io);
    case 'record':
      return (await import('./record.ts')).record(command, io);
    case 'bench':
      return (await import('./bench.ts')).bench(command, io);
  }
}
