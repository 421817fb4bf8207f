import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import type { Address, AskStatus, Exchange, ExchangeRequest } from './connection.ts';
import type { Job } from './jobs.ts';

/** The load client, seen from the bench. */
export interface Client {
  body(address: Address, path: string): Promise<Exchange>;
  bodies(address: Address, paths: readonly string[]): Promise<readonly Exchange[]>;
  serial(address: Address, requests: readonly ExchangeRequest[]): Promise<readonly Exchange[]>;
  /** From this client's network. */
  readonly statusOf: AskStatus;
  stop(): Promise<void>;
}

type Reply = { readonly exchanges: readonly Exchange[] } | { readonly error: string };

export function startClient(namespace?: string): Client {
  const script = join(import.meta.dirname, 'load-client.ts');
  const inside = namespace === undefined ? [] : ['netns', 'exec', namespace, process.execPath];
  const command = namespace === undefined ? process.execPath : 'ip';
  const child = spawn(command, [...inside, script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const run = async (job: Job): Promise<readonly Exchange[]> => {
    const answered = once(child, 'message');
    child.send(job);
    // What the other end of this channel sends is written in load-client.ts.
    const [reply] = (await answered) as [Reply];
    if ('error' in reply) throw new Error(`the load client: ${reply.error}`);
    return reply.exchanges;
  };
  return {
    body: async (address, path) => {
      const [exchange] = await run({ type: 'body', address, path });
      if (exchange?.status !== 200 || !exchange.complete) {
        throw new Error(`${address.host}:${address.port}${path}: ${JSON.stringify(exchange)}`);
      }
      return exchange;
    },
    bodies: (address, paths) => run({ type: 'bodies', address, paths }),
    serial: (address, requests) => run({ type: 'serial', address, requests }),
    statusOf: async (address, request) => {
      const [exchange] = await run({ type: 'serial', address, requests: [request] }).catch(() => []);
      return exchange?.status;
    },
    stop: async () => {
      if (child.exitCode !== null) return;
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
