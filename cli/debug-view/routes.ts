import { Buffer } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PeiliError } from '../../core/index.ts';
import type { Limits } from '../../core/index.ts';
import type { DebugView } from './debug-view.ts';
import type { MeasureOptions } from './measure.ts';
import type { Route } from '../page-server.ts';
import { emptyForm } from './page-measure.ts';
import type { MeasureForm } from './page-measure.ts';
import { createPacedRendering } from './paced-rendering.ts';
import { renderPage } from './page.ts';
import { isSameOrigin } from './same-origin.ts';
import { script } from './script.ts';
import type { DebugSnapshot, MeasurementView } from './snapshot.ts';
import { style } from './style.ts';

export type MeasureCall = (
  options: Pick<MeasureOptions, 'reference' | 'ownContent' | 'signal'>,
) => Promise<MeasurementView>;

export interface DebugRouteDeps {
  readonly view: DebugView;
  /** Undefined while the node is starting. */
  readonly measure: () => MeasureCall | undefined;
  readonly nowUs: () => number;
  readonly limits: Pick<Limits, 'measureIntervalUs'>;
}

/** Where the debug view is, as Spegel's. */
export const debugPath = '/debug/web/';

/** A name of at most 512 characters, percent-encoded. */
const formMaxBytes = 4096;

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const pagePolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'cache-control': 'no-store',
  'content-security-policy': pagePolicy,
  'cross-origin-resource-policy': 'same-origin',
  // With `no-referrer` a form without script would be sent with the origin `null` (Fetch, "Origin header").
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
} as const;

/**
 * The debug view's part of the metrics server: the page, its style and script, `api` with the same as JSON, and `measure`, which takes a form of
 * the page's own origin: field `reference`, and `peers=only` to leave this node's own content out. Measured are one at a time, `limits.measureIntervalUs` apart.
 */
export function createDebugRoutes(deps: DebugRouteDeps): Route {
  const gate = createMeasureGate(deps);
  const { nowUs, view } = deps;
  const paced = (render: (snapshot: DebugSnapshot) => string): (() => Promise<Uint8Array>) =>
    createPacedRendering({ gather: view.snapshot, render: (snapshot) => Buffer.from(render(snapshot)), nowUs });
  const renderedPage = paced((snapshot) => renderPage(snapshot, emptyForm));
  const renderedJson = paced(jsonText);
  const served: Readonly<Record<string, () => Promise<Answer> | Answer>> = {
    '': async () => page(200, await renderedPage()),
    api: async () => ({ status: 200, type: 'application/json', text: await renderedJson() }),
    'style.css': () => ({ status: 200, type: 'text/css; charset=utf-8', text: style }),
    'script.js': () => ({ status: 200, type: 'text/javascript; charset=utf-8', text: script }),
  };
  return (request, response) => {
    const name = (request.url ?? '').replace(/\?.*/s, '').slice(debugPath.length);
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    const find = Object.hasOwn(served, name) ? served[name] : undefined;
    const answer = async (): Promise<Answer> => {
      if (name === 'measure')
        return request.method === 'POST' ? answerMeasure(deps, gate, request, response) : notAllowed('POST');
      if (find === undefined)
        return { status: 404, type: 'text/plain', text: `only here: ${debugPath}, api, measure\n` };
      return isReading ? find() : notAllowed('GET, HEAD');
    };
    answer().then(
      (found) => {
        send(response, found);
      },
      () => {
        send(response, { status: 500, type: 'text/plain', text: 'this page failed: please report it\n' });
      },
    );
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string | Uint8Array;
  readonly more?: Readonly<Record<string, string>>;
}

function page(status: number, text: Answer['text'], more: Readonly<Record<string, string>> = {}): Answer {
  return { status, type: 'text/html; charset=utf-8', text, more };
}

function json(status: number, value: unknown, more: Readonly<Record<string, string>> = {}): Answer {
  return { status, type: 'application/json', text: jsonText(value), more };
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, rounded)}\n`;
}

/** Nanoseconds are noise. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}

function notAllowed(allow: string): Answer {
  return { status: 405, type: 'text/plain', text: `use ${allow}\n`, more: { allow } };
}

function send(response: ServerResponse, { status, type, text, more }: Answer): void {
  response.writeHead(status, { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(text), ...more });
  response.end(text);
}

interface MeasureGate {
  /** How long to wait; 0: begin now, and call `end` at the end. */
  begin(): number;
  end(): void;
}

function createMeasureGate({ nowUs, limits }: DebugRouteDeps): MeasureGate {
  const state = { isBusy: false, freeAtUs: 0 };
  return {
    begin: () => {
      const waitUs = state.isBusy ? limits.measureIntervalUs : state.freeAtUs - nowUs();
      if (waitUs > 0) return waitUs;
      state.isBusy = true;
      return 0;
    },
    end: () => {
      state.isBusy = false;
      state.freeAtUs = nowUs() + limits.measureIntervalUs;
    },
  };
}

async function answerMeasure(
  deps: DebugRouteDeps,
  gate: MeasureGate,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer> {
  const wantsJson = (request.headers.accept ?? '').includes('application/json');
  const refuse = async (
    status: number,
    problem: string,
    form: Partial<MeasureForm> = {},
    more = {},
  ): Promise<Answer> => {
    if (wantsJson) return json(status, { error: problem }, more);
    return page(status, renderPage(await deps.view.snapshot(), { ...emptyForm, ...form, problem }), more);
  };
  if (!isSameOrigin(request.headers)) return refuse(403, 'Refused: this was not sent by this page.');
  const fields = await readForm(request);
  if (fields === undefined) return refuse(413, 'Refused: a form is not as long as that.', {}, { connection: 'close' });
  const reference = (fields.get('reference') ?? '').trim();
  const form = { reference, peersOnly: fields.get('peers') === 'only' };
  const measure = deps.measure();
  if (measure === undefined) return refuse(503, 'This mirror is starting: measure again in a second.', form);
  const waitUs = gate.begin();
  if (waitUs > 0) {
    const seconds = Math.ceil(waitUs / 1e6);
    return refuse(429, `Another measurement has just been made: measure again in ${seconds} s.`, form, {
      'retry-after': String(seconds),
    });
  }
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  try {
    const measured = await measure({ reference, ownContent: !form.peersOnly, signal: gone.signal });
    deps.view.keep(measured);
    if (wantsJson) return json(200, measured);
    return { status: 303, type: 'text/plain', text: 'measured\n', more: { location: `${debugPath}#measure` } };
  } catch (error) {
    if (!(error instanceof PeiliError)) throw error;
    return await refuse(400, `Not measured: ${error.message}.`, form);
  } finally {
    gate.end();
  }
}

/** Undefined if it is too long. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    const bytes = part as Buffer; // A request without encoding gives buffers.
    length += bytes.length;
    if (length > formMaxBytes) return undefined;
    parts.push(bytes);
  }
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'));
}
