import type { Server } from 'node:http';
import { isIPv6 } from 'node:net';
import { PeiliError } from '../../core/index.ts';

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
      reject(listenError(error, host, port));
    };
    server.once('error', fail);
    // The queue of Linux' default: a rollout's clients come at once.
    server.listen({ ...(host === undefined ? {} : { host }), port, backlog: 4096 }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function listenError(error: NodeJS.ErrnoException, host: string | undefined, port: number): PeiliError {
  const where = host === undefined ? `port ${String(port)}` : `${host}, port ${String(port)}`;
  const details = { host: host ?? '', port, reason: error.code ?? error.message };
  if (error.code === 'EADDRINUSE') {
    return new PeiliError(
      'ADDRESS_IN_USE',
      `something else listens on ${where} already: choose another port or stop it`,
      details,
      error,
    );
  }
  const mend =
    error.code === 'EACCES'
      ? 'ports below 1024 need a right that this process lacks'
      : 'use an address of this machine';
  return new PeiliError('ADDRESS_INVALID', `cannot listen on ${where}: ${mend}`, details, error);
}
