import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PeiliError, reasonOf } from '../../core/index.ts';
import type { Limits } from '../../core/index.ts';
import { listenRefusal } from '../../transports/index.ts';
import type { Watchdog } from '../../transports/index.ts';
import { measureEventLoop, profileCpu, report, state, streamHeap } from './probes.ts';

export interface DebugPortOptions {
  /** 0: any free one. */
  readonly port: number;
  readonly limits: Pick<Limits, 'profileTimeMaxUs'>;
  /** Not asked while a heap snapshot holds the main thread. */
  readonly watchdog: Pick<Watchdog, 'hold'> | undefined;
  readonly version: string;
}

export interface DebugPort {
  readonly port: number;
  readonly addresses: readonly string[];
  close(): Promise<void>;
}

/** A page of the program's inside. Rejects with `OPTION_INVALID` for a query that it cannot use. */
type Probe = (request: ProbeRequest) => Promise<void>;

interface ProbeRequest {
  readonly query: URLSearchParams;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

const defaultSeconds = 10;
const loopbacks = ['127.0.0.1', '::1'] as const;

/**
 * Profiles and heap snapshots hold what passed through this process, so they are for whoever is on the node alone (contract L16): on loopback, for
 * requests that name it so. Rejects with `ADDRESS_IN_USE` or `ADDRESS_INVALID`.
 */
export async function serveDebugPort(options: DebugPortOptions): Promise<DebugPort> {
  const answer = createAnswer(options);
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    for (const server of servers) {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    }
  };
  let { port } = options;
  for (const host of loopbacks) {
    const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 8192 }, answer);
    server.listen({ host, port });
    try {
      await once(server, 'listening');
    } catch (error) {
      // A machine may have no IPv6.
      if (host === '::1' && servers.length > 0 && reasonOf(error).includes('EADDRNOTAVAIL')) continue;
      await close();
      throw listenRefusal({ listener: 'pages', host, port }, reasonOf(error), error);
    }
    servers.push(server);
    port = addressOf(server).port;
  }
  return { port, addresses: servers.map((server) => addressOf(server).address), close };
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (typeof address === 'object' && address !== null) return address;
  throw new Error('a server that listens on no port');
}

function createAnswer(options: DebugPortOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const probes = probesOf(options);
  const busy: { with: string | undefined } = { with: undefined };
  return (request, response) => {
    const [path = '', query = ''] = (request.url ?? '/').split('?', 2);
    const probe = Object.hasOwn(probes, path) ? probes[path] : undefined;
    const refuse = (status: number, text: string): void => {
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
    };
    if (!isForLoopback(request)) {
      refuse(403, 'refused: ask by 127.0.0.1, [::1] or localhost, and not from another page');
    } else if (request.method !== 'GET') {
      response.setHeader('allow', 'GET');
      refuse(405, 'use GET');
    } else if (probe === undefined) {
      refuse(path === '/' ? 200 : 404, Object.keys(probes).join('\n'));
    } else if (busy.with !== undefined) {
      refuse(409, `${busy.with} is under way, and they would measure one another: ask again when it has ended`);
    } else {
      busy.with = path;
      void run(probe, query, response, refuse).finally(() => {
        busy.with = undefined;
      });
    }
  };
}

async function run(
  probe: Probe,
  query: string,
  response: ServerResponse,
  refuse: (status: number, text: string) => void,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  try {
    await probe({ query: new URLSearchParams(query), response, signal: gone.signal });
  } catch (error) {
    if (response.headersSent || gone.signal.aborted) response.destroy();
    else refuse(error instanceof PeiliError ? 400 : 500, reasonText(error));
  }
}

function reasonText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function probesOf({ limits, version, watchdog }: DebugPortOptions): Readonly<Record<string, Probe>> {
  const answerJson = (response: ServerResponse, value: unknown): void => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(value, null, 2)}\n`);
  };
  return {
    '/debug/profile': async ({ query, response, signal }) => {
      const profile = await profileCpu(secondsOf(query, limits), signal);
      const disposition = 'attachment; filename="peili.cpuprofile"';
      response.writeHead(200, { 'content-type': 'application/json', 'content-disposition': disposition });
      response.end(JSON.stringify(profile));
    },
    '/debug/heap': async ({ response }) => {
      const disposition = 'attachment; filename="peili.heapsnapshot"';
      response.writeHead(200, { 'content-type': 'application/json', 'content-disposition': disposition });
      await streamHeap(response, watchdog);
    },
    '/debug/event-loop': async ({ query, response, signal }) => {
      answerJson(response, await measureEventLoop(secondsOf(query, limits), signal));
    },
    '/debug/report': ({ response }) => {
      answerJson(response, report());
      return Promise.resolve();
    },
    '/debug/state': ({ response }) => {
      answerJson(response, { version, ...state() });
      return Promise.resolve();
    },
  };
}

function secondsOf(query: URLSearchParams, { profileTimeMaxUs }: Pick<Limits, 'profileTimeMaxUs'>): number {
  const text = query.get('seconds');
  const secondsMax = profileTimeMaxUs / 1e6;
  const seconds = text === null ? defaultSeconds : Number(text);
  if (text !== '' && seconds > 0 && seconds <= secondsMax) return seconds;
  throw new PeiliError('OPTION_INVALID', `seconds=${text ?? ''}: give a number above 0, ${secondsMax} at most`);
}

/** A page elsewhere whose name leads to loopback (DNS rebinding) names itself in Host; a browser tells where a request comes from. */
function isForLoopback({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (headers.origin !== undefined || (site !== undefined && site !== 'none')) return false;
  return /^(?:127\.0\.0\.1|\[::1\]|localhost)(?::\d+)?$/.test(headers.host ?? '');
}
