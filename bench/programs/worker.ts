import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A process of this bench's own that answers messages. */
export interface Worker {
  /** Waits for the next message, after sending one if `question` is given. */
  next(question?: string): Promise<unknown>;
  stop(): Promise<void>;
}

export function startWorker(script: string, args: readonly number[]): Worker {
  const child: ChildProcess = fork(join(import.meta.dirname, '../servers', script), args.map(String), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  return {
    next: async (question) => {
      const answered = once(child, 'message');
      if (question !== undefined) child.send(question);
      const [message] = await Promise.race([
        answered as Promise<unknown[]>,
        exited.then(() => {
          throw new Error(`${script} ended without an answer`);
        }),
      ]);
      return message;
    },
    stop: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
