import { list } from './list.ts';
import { run } from './run.ts';
import type { SimCommand } from './sim-commands.ts';
import type { SimIo } from './sim-io.ts';

/** Does what `peili sim ...` was asked for: the exit code. */
export function sim(command: SimCommand, io: SimIo): Promise<number> {
  switch (command.type) {
    case 'run':
      return run(command, io);
    case 'list':
      return list(command, io);
  }
}
