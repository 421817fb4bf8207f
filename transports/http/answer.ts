import type { IncomingMessage } from 'node:http';
import { errorCodeOf, ociErrorBody, PeiliError, reasonOf } from '../../core/index.ts';
import type { DistributionResponse, Mirror, NodeEvent } from '../../core/index.ts';
import { writeBody } from './body-writer.ts';
import type { BodyEnd } from './body-writer.ts';
import type { HttpExchange } from './connection.ts';
import { checkRequest } from './request-check.ts';

export interface Readiness {
  readonly ready: boolean;
  /** One sentence: why not, or what makes it so. */
  readonly reason: string;
}

export interface AnswerDeps {
  readonly mirror: Mirror;
  readonly readiness: () => Readiness;
  readonly onNode: (event: NodeEvent) => void;
  /** Whether an Authorization field is the right one, where mirrors ask for one. */
  readonly isAuthorized: (authorization: string | undefined) => boolean;
  /** Whether one more request may be worked on. */
  readonly hasRoom: () => boolean;
}

/** What became of an exchange, for the request log. */
export interface Answered {
  readonly status: number;
  readonly bytes: number;
  readonly end: BodyEnd;
}

/**
 * What a 401 must bring (RFC 9110, section 15.5.2; RFC 7617), but not for who asks a mirror of a registry by `ns`: containerd answers a challenge with the
 * pull secret of that registry, in clear, six times an object (measured with 2.1.9). It has what hosts.toml says, or goes on to the next host.
 */
function challengeFor(target: string): Readonly<Record<string, string>> {
  return /[?&]ns=/.test(target) ? {} : { 'www-authenticate': 'Basic realm="peili", charset="UTF-8"' };
}

/** Answers one exchange, its body included. Never rejects. */
export async function answerExchange(deps: AnswerDeps, exchange: HttpExchange): Promise<Answered> {
  const { request, response, connection } = exchange;
  const checked = checkRequest(request.httpVersion, request.rawHeaders);
  if (checked.kind === 'refused') {
    connection.finishSoon();
    return writeText(exchange, checked.status, 'application/json', ociErrorBody(checked.error));
  }
  const probe = probeText(deps, request);
  if (probe !== undefined) return writeText(exchange, probe.status, 'text/plain; charset=utf-8', probe.text);
  if (!deps.isAuthorized(checked.headers['authorization'])) {
    deps.onNode({ type: 'unauthorized', mirrored: checked.headers['x-spegel-mirrored'] === 'true' });
    const error = new PeiliError('UNAUTHORIZED', 'this mirror asks for a user name and a password');
    return writeText(
      exchange,
      error.row.status,
      'application/json',
      ociErrorBody(error),
      challengeFor(request.url ?? '/'),
    );
  }
  if (!deps.hasRoom()) {
    // To a mirror it says that it is busy, to containerd that it should go on (contract L11).
    const error = new PeiliError('OVERLOADED', 'as many requests are being answered as may be');
    const status = checked.headers['x-spegel-mirrored'] === 'true' ? error.row.status : 404;
    return writeText(exchange, status, 'application/json', ociErrorBody(error));
  }
  let answer: DistributionResponse;
  try {
    const text = { method: request.method ?? 'GET', target: request.url ?? '/', headers: checked.headers };
    answer = await deps.mirror.answer(text, exchange.signal);
  } catch (reason) {
    return failed(deps, exchange, reason);
  }
  const lengthBytes = promisedBytes(answer);
  if (
    connection.ended() ||
    lengthBytes === undefined ||
    (answer.body === undefined && lengthBytes > 0 && !isHead(request))
  ) {
    await answer.body?.return();
    if (connection.ended()) return { status: answer.status, bytes: 0, end: 'gone' };
    return failed(deps, exchange, new TypeError('an answer without the body that its content-length promises'));
  }
  try {
    writeHead(exchange, answer.status, { 'content-length': '0', ...answer.headers });
  } catch (reason) {
    // A field's value that HTTP cannot carry: nothing has left yet.
    await answer.body?.return();
    return failed(deps, exchange, reason);
  }
  if (answer.body === undefined || isHead(request)) {
    await answer.body?.return();
    response.end();
    return { status: answer.status, bytes: 0, end: 'complete' };
  }
  const written = await writeBody(response, answer.body, lengthBytes, connection, exchange.signal);
  switch (written.end) {
    case 'complete':
      response.end();
      break;
    case 'mismatch':
      connection.reset();
      break;
    case 'cut':
      if (errorCodeOf(written.reason) === undefined) deps.onNode(failure(written.reason));
      connection.cut();
      break;
    case 'gone':
      break;
  }
  return { status: answer.status, bytes: written.bytes, end: written.end };
}

function probeText(deps: AnswerDeps, request: IncomingMessage): { status: number; text: string } | undefined {
  const { url = '/', method } = request;
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  if (url === '/livez') return { status: 200, text: 'alive\n' };
  if (url !== '/readyz') return undefined;
  const { ready, reason } = deps.readiness();
  return { status: ready ? 200 : 503, text: `${reason}\n` };
}

/** The mirror broke its promise not to fail: the client goes on to the next host, and the operator is told. */
async function failed(deps: AnswerDeps, exchange: HttpExchange, reason: unknown): Promise<Answered> {
  if (exchange.connection.ended()) return { status: 499, bytes: 0, end: 'gone' };
  if (errorCodeOf(reason) !== 'ABORTED') deps.onNode(failure(reason));
  const error = reason instanceof PeiliError ? reason : new PeiliError('SOURCES_EXHAUSTED', 'answering failed');
  return writeText(exchange, 404, 'application/json', ociErrorBody(error));
}

function failure(reason: unknown): NodeEvent {
  return { type: 'request-failed', reason: reasonOf(reason) };
}

function writeHead(exchange: HttpExchange, status: number, headers: Readonly<Record<string, string>>): void {
  const { response, connection } = exchange;
  if (connection.closing()) response.shouldKeepAlive = false;
  response.writeHead(status, headers);
}

function writeText(
  exchange: HttpExchange,
  status: number,
  type: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Answered {
  const bytes = Buffer.byteLength(text);
  writeHead(exchange, status, { ...headers, 'content-type': type, 'content-length': String(bytes) });
  exchange.response.end(isHead(exchange.request) ? undefined : text);
  return { status, bytes: isHead(exchange.request) ? 0 : bytes, end: 'complete' };
}

/** Undefined when a body has no valid length: on the wire it would have to be chunked, which is never done. */
function promisedBytes(answer: DistributionResponse): number | undefined {
  const text = answer.headers['content-length'];
  if (text === undefined) return answer.body === undefined ? 0 : undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function isHead(request: IncomingMessage): boolean {
  return request.method === 'HEAD';
}
