import { once } from 'node:events';
import { connect, createServer, isIPv6 } from 'node:net';
import { requestReader, responseReader } from './http-framing.ts';
import { listenOn, reset } from './listener.ts';
import { createPace } from './pace.ts';
import type { BodyFrame, ProxiedRequest, Segment } from './http-framing.ts';
import type { Socket } from 'node:net';

/** Where a fault's `at` is counted: in the answer's body, in the blob (a range's body begins at its offset), or in all bytes of the connection towards the client. */
export type FaultScale = 'body' | 'blob' | 'connection';

export type Fault =
  /** Nobody listens. */
  | { readonly type: 'refuse' }
  /** The connection is accepted and nothing ever happens on it. */
  | { readonly type: 'black-hole' }
  /** The request is taken, the answer never comes. */
  | { readonly type: 'silent-head' }
  | { readonly type: 'cut'; readonly by: 'fin' | 'rst'; readonly at: number; readonly of?: FaultScale }
  | { readonly type: 'stall'; readonly at: number; readonly of?: FaultScale }
  | { readonly type: 'trickle'; readonly bytesPerSecond: number }
  /** The byte at `at` is inverted. */
  | { readonly type: 'flip'; readonly at: number; readonly of?: FaultScale };

export interface FaultRule {
  readonly fault: Fault;
  /** Which requests meet it. Not asked by faults of whole connections. @default all */
  readonly when?: (request: ProxiedRequest) => boolean;
  /** How many meet it. @default all */
  readonly times?: number;
}

/** A TCP proxy that breaks what passes, to the byte, on real sockets. HTTP/1.1 with Content-Length, requests without bodies. */
export interface FaultProxy {
  readonly url: string;
  readonly port: number;
  /** Replaces all rules. The first that fits a request (or a connection) is met; bodies under way keep theirs. */
  setRules(rules: readonly FaultRule[]): Promise<void>;
  /** Requests seen so far, in order. */
  requests(): readonly ProxiedRequest[];
  connections(): number;
  /** Resets every connection and refuses new ones, as a node's death under a living kernel does. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

interface ProxyState {
  rules: { rule: FaultRule; left: number }[];
  readonly requests: ProxiedRequest[];
}

export interface FaultProxyOptions {
  /** `http://host:port` */
  readonly target: string;
  readonly rules?: readonly FaultRule[];
  /** An address of this machine. @default 127.0.0.1 */
  readonly host?: string;
  /** @default 0: any free one */
  readonly port?: number;
}

export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { host = '127.0.0.1' } = options;
  const target = new URL(options.target);
  const targetHost = target.hostname.replace(/^\[(.*)\]$/, '$1');
  const state: ProxyState = { rules: [], requests: [] };
  const server = createServer((client) => {
    client.on('error', () => undefined);
    const hole = takeRule(state, ({ fault }) => fault.type === 'black-hole');
    if (hole === undefined) relay(state, client, connect({ host: targetHost, port: Number(target.port) }));
    else client.resume();
  });
  const listener = await listenOn(server, options.port, host);
  const setRules = async (rules: readonly FaultRule[]): Promise<void> => {
    state.rules = rules.map((rule) => ({ rule, left: rule.times ?? Infinity }));
    if (rules.some(({ fault }) => fault.type === 'refuse')) await listener.refuse();
    else await listener.accept();
  };
  await setRules(options.rules ?? []);
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${listener.port}`,
    port: listener.port,
    setRules,
    requests: () => [...state.requests],
    connections: () => listener.connections(),
    kill: () => listener.refuse(),
    close: () => listener.refuse(),
  };
}

function takeRule(state: ProxyState, fits: (rule: FaultRule) => boolean): Fault | undefined {
  const entry = state.rules.find(({ rule, left }) => left > 0 && fits(rule));
  if (entry === undefined) return undefined;
  entry.left -= 1;
  return entry.rule.fault;
}

const isOfConnection = ({ fault }: FaultRule): boolean => 'of' in fault && fault.of === 'connection';

/** Whether the rule is for this answer: its request fits, and the place of the fault is in its body. */
function meets(rule: FaultRule, request: ProxiedRequest | undefined, frame: BodyFrame): boolean {
  if (request === undefined || isOfConnection(rule) || !(rule.when?.(request) ?? true)) return false;
  const { fault } = rule;
  if (!('at' in fault)) return true;
  const place = fault.of === 'blob' ? fault.at - frame.start : fault.at;
  return place >= 0 && (fault.type === 'flip' ? place < frame.length : place <= frame.length);
}

function relay(state: ProxyState, client: Socket, target: Socket): void {
  const pending: ProxiedRequest[] = [];
  const readRequests = requestReader((request) => {
    state.requests.push(request);
    pending.push(request);
  });
  client.on('data', (chunk: Buffer) => {
    readRequests(chunk);
    if (!target.write(chunk)) client.pause();
  });
  target.on('drain', () => client.resume());
  client.once('close', () => target.destroy());
  client.once('end', () => target.end());
  answerFrom(state, client, target, pending).catch(() => {
    reset(client);
  });
}

async function answerFrom(state: ProxyState, client: Socket, target: Socket, pending: ProxiedRequest[]): Promise<void> {
  const ofConnection = takeRule(state, isOfConnection);
  const gone = new AbortController();
  client.once('close', () => {
    gone.abort();
  });
  let request: ProxiedRequest | undefined;
  const segmentsOf = responseReader(
    () => {
      request = pending.shift();
      return request?.method ?? 'GET';
    },
    (frame) => ({ fault: request && takeRule(state, (rule) => meets(rule, request, frame)) }),
  );
  let sentBytes = 0;
  for await (const chunk of target as AsyncIterable<Buffer>) {
    for (const segment of segmentsOf(chunk)) {
      const fault = ofConnection ?? segment.context.fault;
      const at = ofConnection === undefined ? startOf(segment, fault) : sentBytes;
      const goesOn = await forward(client, segment.bytes, at, fault, gone.signal);
      if (!goesOn) return;
      sentBytes += segment.bytes.byteLength;
    }
  }
  client.end();
}

/** Where the segment begins on the fault's scale; undefined: outside of it. */
function startOf(segment: Segment<{ fault: Fault | undefined }>, fault: Fault | undefined): number | undefined {
  if (segment.part === 'head') return fault?.type === 'silent-head' ? 0 : undefined;
  return fault !== undefined && 'of' in fault && fault.of === 'blob' ? segment.blobOffset : segment.bodyOffset;
}

/** Passes bytes on, or breaks them. False when nothing more may follow on this connection. */
async function forward(
  client: Socket,
  bytes: Uint8Array,
  at: number | undefined,
  fault: Fault | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (fault === undefined || at === undefined) return send(client, bytes, signal);
  if (fault.type === 'silent-head') return false;
  if (fault.type === 'trickle') return trickle(client, bytes, fault.bytesPerSecond, signal);
  if (!('at' in fault)) return send(client, bytes, signal);
  const place = fault.at - at;
  if (place < 0 || place > bytes.byteLength) return send(client, bytes, signal);
  if (fault.type === 'flip') {
    const flipped = Uint8Array.from(bytes);
    if (place < flipped.byteLength) flipped[place] = 0xff ^ (bytes[place] ?? 0);
    return send(client, flipped, signal);
  }
  await send(client, bytes.subarray(0, place), signal);
  if (fault.type === 'stall') return false;
  if (fault.by === 'fin') client.end();
  else reset(client);
  return false;
}

async function trickle(client: Socket, bytes: Uint8Array, rate: number, signal: AbortSignal): Promise<true> {
  const pace = createPace(rate);
  for (let at = 0; at < bytes.byteLength; at += pace.grain()) {
    const piece = bytes.subarray(at, at + pace.grain());
    await pace.take(piece.byteLength, signal);
    await send(client, piece, signal);
  }
  return true;
}

async function send(client: Socket, bytes: Uint8Array, signal: AbortSignal): Promise<true> {
  if (bytes.byteLength > 0 && !client.write(bytes)) await once(client, 'drain', { signal });
  return true;
}
