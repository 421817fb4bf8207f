import { once } from 'node:events';
import { createServer } from 'node:http';
import { PeiliError, reasonOf } from '../core/index.ts';
import type { ListenAddress } from './addresses.ts';

export interface Page {
  readonly contentType: string;
  text(): string | Promise<string>;
}

export interface PageServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves a few texts: `/metrics`, the bootstrap document. Knows GET and HEAD, and nothing of mirrors.
 * Rejects with `ADDRESS_IN_USE` or `ADDRESS_INVALID`.
 */
export async function servePages(address: ListenAddress, pages: Readonly<Record<string, Page>>): Promise<PageServer> {
  const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 8192 }, (request, response) => {
    const path = (request.url ?? '/').replace(/\?.*/s, '');
    const page = pages[path];
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    } else if (page === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end(`only here: ${Object.keys(pages).join(', ')}\n`);
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
  const { host, port } = address;
  server.listen({ port, ...(host === undefined ? {} : { host }) });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenRefusal(reasonOf(error), error);
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

/** Why nothing can be listened to at an address, in words, from whatever names the system's code. */
function listenRefusal(text: string, cause: unknown): PeiliError {
  if (text.includes('EADDRINUSE')) {
    return new PeiliError('ADDRESS_IN_USE', 'something else listens there; choose another port or stop it', {}, cause);
  }
  const isForbidden = text.includes('EACCES');
  const mend = isForbidden
    ? 'a port below 1024 needs a right that this process lacks'
    : 'give an address of this machine';
  return new PeiliError('ADDRESS_INVALID', `cannot listen there; ${mend}`, {}, cause);
}
