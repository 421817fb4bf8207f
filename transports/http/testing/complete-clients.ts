import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { Client } from 'undici';

/** What a complete HTTP client makes of an answer's bytes. */
export interface Understood {
  readonly status: number;
  /** Lower-case names, values without blanks at the end, joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
}

/** A connection whose other side answers any request with `answer` and stays open. */
function answering(answer: Uint8Array): Duplex {
  const connection = new Duplex({
    read: () => undefined,
    write: (_request, _encoding, done) => {
      connection.push(answer);
      done();
    },
  });
  return connection;
}

/** Undefined when the client refuses the answer, or waits for more of it after so many turns of the event loop. */
export type CompleteClient = (
  method: 'GET' | 'HEAD',
  answer: Uint8Array,
  turns: number,
) => Promise<Understood | undefined>;

export const understoodByNode: CompleteClient = async (method, answer, turns) => {
  const connection = answering(answer);
  const understood = await new Promise<Understood | undefined>((resolve) => {
    const request = httpRequest({ method, host: 'peer', createConnection: () => connection });
    request.maxHeadersCount = 0;
    request.on('response', (response: IncomingMessage) => {
      let bodyBytes = 0;
      response.on('data', (chunk: Buffer) => (bodyBytes += chunk.byteLength));
      response.on('error', () => {
        resolve(undefined);
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: joined(response.rawHeaders), bodyBytes });
      });
    });
    request.on('error', () => {
      resolve(undefined);
    });
    request.end();
    afterTurns(turns, resolve);
  });
  connection.destroy();
  return understood;
};

export const understoodByUndici: CompleteClient = async (method, answer, turns) => {
  const connection = answering(answer);
  const client = new Client('http://peer', {
    connect: (_options, callback) => {
      // A test's stand-in for a socket: undici uses it as a stream.
      setImmediate(() => {
        callback(null, connection as never);
      });
    },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const ask = async (): Promise<Understood> => {
    const { statusCode, headers, body } = await client.request({ method, path: '/', responseHeaders: 'raw' });
    const { byteLength } = await body.arrayBuffer();
    return { status: statusCode, headers: joined(headers as unknown as string[]), bodyBytes: byteLength };
  };
  const understood = await new Promise<Understood | undefined>((resolve) => {
    ask().then(resolve, () => {
      resolve(undefined);
    });
    afterTurns(turns, resolve);
  });
  await client.destroy().catch(() => undefined);
  return understood;
};

function afterTurns(turns: number, resolve: (nothing: undefined) => void): void {
  if (turns === 0) resolve(undefined);
  else setImmediate(afterTurns, turns - 1, resolve);
}

function joined(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = String(raw[index]).toLowerCase();
    const value = String(raw[index + 1]).replace(/[\t ]+$/, '');
    headers[name] = Object.hasOwn(headers, name) ? `${String(headers[name])}, ${value}` : value;
  }
  return headers;
}
