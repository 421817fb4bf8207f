import { exchangeOnce, openConnection } from './connection.ts';
import type { Address, Exchange, ExchangeRequest } from './connection.ts';

/** What the load client does in its own process. */
export type Job =
  /** One body on a connection of its own. */
  | { readonly type: 'body'; readonly address: Address; readonly path: string }
  /** Many bodies at once, a connection each. */
  | { readonly type: 'bodies'; readonly address: Address; readonly paths: readonly string[] }
  /** One after another on one connection. */
  | { readonly type: 'serial'; readonly address: Address; readonly requests: readonly ExchangeRequest[] };

export async function runJob(job: Job): Promise<readonly Exchange[]> {
  switch (job.type) {
    case 'body':
      return [await exchangeOnce(job.address, { path: job.path })];
    case 'bodies':
      return Promise.all(job.paths.map((path) => exchangeOnce(job.address, { path })));
    case 'serial':
      return serial(job.address, job.requests);
  }
}

async function serial(address: Address, requests: readonly ExchangeRequest[]): Promise<Exchange[]> {
  const exchanges: Exchange[] = [];
  let connection = await openConnection(address);
  try {
    for (const request of requests) {
      if (!connection.isOpen()) connection = await openConnection(address);
      exchanges.push(await connection.exchange(request));
    }
    return exchanges;
  } finally {
    connection.close();
  }
}
