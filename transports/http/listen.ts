import type { Server } from 'node:http';
import { isIPv6 } from 'node:net';
import { listenRefusal } from '../system/listen-refusal.ts';

export interface ListenOptions {
  /** An IP address or a name of this machine. @default both families, all addresses */
  readonly host?: string | undefined;
  /** 0 picks a free one. */
  readonly port: number;
}

export interface ListeningAddress {
  readonly port: number;
  /** As in URLs: `127.0.0.1:5000`, `[::]:5000`. */
  readonly authority: string;
}

/** Rejects with `ADDRESS_IN_USE` or `ADDRESS_INVALID`. */
export async function listen(server: Server, options: ListenOptions): Promise<ListeningAddress> {
  await begin(server, options);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a server on a port has an address');
  const host = isIPv6(address.address) ? `[${address.address}]` : address.address;
  return { port: address.port, authority: `${host}:${String(address.port)}` };
}

function begin(server: Server, { host, port }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(listenRefusal({ listener: 'registry', host, port }, error.code ?? error.message, error));
    };
    server.once('error', fail);
    // The queue of Linux' default: a rollout's clients come at once.
    server.listen({ ...(host === undefined ? {} : { host }), port, backlog: 4096 }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}
