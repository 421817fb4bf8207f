import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { defaultLimits, reasonOf } from '../core/index.ts';
import type { Limits } from '../core/index.ts';
import { listenRefusal } from '../transports/index.ts';
import type { ListenAddress } from './addresses.ts';

export interface Page {
  readonly contentType: string;
  text(): string | Promise<string>;
}

/** Answers everything under its path. */
export type Route = (request: IncomingMessage, response: ServerResponse) => void;

export interface PageServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves a few texts: `/metrics`, the bootstrap document. Knows GET and HEAD, and nothing of mirrors. `routes` answer for themselves what begins with
 * their path, which ends in a slash. Connections are bounded, in number and in time without a byte.
 * Rejects with `ADDRESS_IN_USE` or `ADDRESS_INVALID`.
 */
export async function servePages(
  address: ListenAddress,
  pages: Readonly<Record<string, Page>>,
  routes: Readonly<Record<string, Route>> = {},
  limits: Pick<Limits, 'pageConnectionsMax' | 'pageIdleTimeoutUs'> = defaultLimits,
): Promise<PageServer> {
  const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 8192 }, (request, response) => {
    const path = (request.url ?? '/').replace(/\?.*/s, '');
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    const route = Object.entries(routes).find(([prefix]) => `${path}/`.startsWith(prefix));
    if (route !== undefined) {
      if (path.startsWith(route[0])) route[1](request, response);
      else response.writeHead(308, { location: route[0] }).end();
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    } else if (page === undefined) {
      response
        .writeHead(404, { 'content-type': 'text/plain' })
        .end(`only here: ${[...Object.keys(pages), ...Object.keys(routes)].join(', ')}\n`);
    } else {
      Promise.resolve(page.text()).then(
        (text) => {
          response
            .writeHead(200, { 'content-type': page.contentType, 'content-length': Buffer.byteLength(text) })
            .end(text);
        },
        () => response.writeHead(500).end(),
      );
    }
  });
  // Whoever holds connections, or does not read what was asked for, takes nothing from the mirror's clients (contract L11).
  server.maxConnections = limits.pageConnectionsMax;
  server.timeout = limits.pageIdleTimeoutUs / 1000;
  const { host, port } = address;
  server.listen({ port, ...(host === undefined ? {} : { host }) });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenRefusal({ listener: 'pages', host, port }, reasonOf(error), error);
  }
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
