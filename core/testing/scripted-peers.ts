import { abortedError, abortReason, onAbort } from '../abort.ts';
import { PeiliError } from '../errors.ts';
import type { Clock, Member, MemberKind, PeerClient, PeerRequest, PeerResponse } from '../ports/index.ts';
import { formatContentRange, parseRange, resolveRange } from '../requests/range.ts';
import { selfCheckHeader } from '../verification/self-check-header.ts';
import type { TestBlob } from './blob.ts';
import { createScriptedBody } from './scripted-body.ts';
import type { BodyScript } from './scripted-body.ts';

/** How a member answers one request. Nothing set: an honest and quick one. */
export interface PeerScript extends BodyScript {
  readonly refuse?: boolean;
  readonly dialTimeout?: boolean;
  /** Takes the request and never answers. */
  readonly silent?: boolean;
  readonly headUs?: number;
  /** Answers with this error status. */
  readonly status?: number;
  /** Answers a range with 200 and everything. */
  readonly ignoreRange?: boolean;
  /** Claims this size. */
  readonly sizeBytes?: number;
  /** Shifts what Content-Range says. */
  readonly rangeShift?: number;
  /** Claims this digest. */
  readonly digest?: string;
  readonly contentType?: string;
  /** Of a tag: for how long it has been true, seconds. */
  readonly ageSeconds?: number;
  /** Gives these bytes in place of its content. */
  readonly content?: Uint8Array;
  /** What it says of its own file. @default the truth is not known: no word */
  readonly selfCheck?: 'right' | 'wrong';
}

export interface AskedRequest {
  readonly member: string;
  readonly method: string;
  readonly target: string;
  readonly range: string | undefined;
  readonly selfCheck: boolean;
  readonly atUs: number;
}

export type Script = PeerScript | ((request: AskedRequest, index: number) => PeerScript);

export interface ScriptedPeers extends PeerClient {
  readonly requests: readonly AskedRequest[];
  /** Bodies and unanswered requests that nobody has let go of. */
  open(): number;
  /** Reads under way or bodies lent at once, at most. */
  openMax(): number;
  member(id: string): Member;
  script(id: string, script: Script): void;
  /** Makes content known under its digest, or under a tag. */
  add(blob: TestBlob, tag?: string): void;
}

export interface MemberTraits {
  readonly zone?: string;
  readonly kind?: MemberKind;
}

export function scriptedMember(id: string, traits: MemberTraits = {}): Member {
  const { kind = 'peili', zone = '' } = traits;
  const position = new Uint8Array(32);
  return { id, position, addresses: ['192.0.2.1'], registryPort: 30020, kind, zone, incarnation: 1, connected: true };
}

const defaultHeadUs = 1_000;
const dialTimeoutUs = 250_000;

/** A cluster of members that answer by script, over virtual time. Counts everything that is still open. */
export function createScriptedPeers(clock: Clock): ScriptedPeers {
  const contents = new Map<string, TestBlob>();
  const scripts = new Map<string, Script>();
  const requests: AskedRequest[] = [];
  const open = { now: 0, most: 0 };
  const hold = (): (() => void) => {
    open.now += 1;
    open.most = Math.max(open.most, open.now);
    return () => {
      open.now -= 1;
    };
  };

  const fetch = async (member: Member, request: PeerRequest, signal: AbortSignal): Promise<PeerResponse> => {
    if (signal.aborted) throw abortReason(signal);
    const asked = {
      member: member.id,
      method: request.method,
      target: request.target,
      range: request.headers['range'],
      selfCheck: request.headers[selfCheckHeader] === 'true',
      atUs: clock.nowUs(),
    };
    requests.push(asked);
    const own = scripts.get(member.id) ?? {};
    const index = requests.filter((other) => other.member === member.id).length - 1;
    const script = typeof own === 'function' ? own(asked, index) : own;
    const release = hold();
    try {
      await answerTime(clock, script, signal);
    } finally {
      release();
    }
    const name = /\/(?:blobs|manifests)\/([^?]+)/.exec(request.target)?.[1] ?? '';
    const blob = contents.get(name);
    const response = respond(script, blob, asked);
    if (response.bytes === undefined) return response;
    const [start, end] = response.bytes;
    const content = script.content ?? blob?.bytes ?? new Uint8Array();
    const body = createScriptedBody({ clock, content, start, end, script, signal, onClosed: hold() });
    return { status: response.status, headers: response.headers, body };
  };

  return {
    fetch,
    requests,
    open: () => open.now,
    openMax: () => open.most,
    member: (id) => scriptedMember(id),
    script: (id, script) => void scripts.set(id, script),
    add: (blob, tag) => {
      contents.set(blob.digest, blob);
      if (tag !== undefined) contents.set(tag, blob);
    },
  };
}

interface Answer extends PeerResponse {
  readonly bytes?: readonly [number, number];
}

function respond(script: PeerScript, blob: TestBlob | undefined, asked: AskedRequest): Answer {
  const { status = blob === undefined && script.content === undefined ? 404 : 200 } = script;
  if (asked.selfCheck)
    return script.selfCheck === undefined
      ? error(404)
      : error(script.selfCheck === 'right' ? 200 : 404, { [selfCheckHeader]: script.selfCheck });
  if (status >= 400 && status !== 416) return error(status);
  const sizeBytes = script.sizeBytes ?? (script.content ?? blob?.bytes)?.byteLength ?? 0;
  const headers = {
    'content-type': script.contentType ?? 'application/octet-stream',
    'docker-content-digest': script.digest ?? blob?.digest ?? '',
    ...(script.ageSeconds === undefined ? {} : { age: String(script.ageSeconds) }),
  };
  const range = resolveRange(parseRange(script.ignoreRange === true ? undefined : asked.range), sizeBytes, {
    mirrored: true,
  });
  if (range.type === 'unsatisfiable' || status === 416)
    return error(416, { 'content-range': `bytes */${String(sizeBytes)}` });
  if (range.type === 'whole')
    return { status, headers: { ...headers, 'content-length': String(sizeBytes) }, ...given(asked, 0, sizeBytes) };
  const { start, end } = range;
  const shift = script.rangeShift ?? 0;
  const contentRange = formatContentRange({ type: 'part', start: start + shift, end: end + shift, sizeBytes });
  return {
    status: 206,
    headers: { ...headers, 'content-range': contentRange, 'content-length': String(end - start) },
    ...given(asked, start, end),
  };
}

function given(asked: AskedRequest, start: number, end: number): Pick<Answer, 'bytes'> {
  return asked.method === 'HEAD' ? {} : { bytes: [start, end] };
}

function error(status: number, headers: Record<string, string> = {}): Answer {
  return { status, headers };
}

/** Waits as long as the member takes to answer; rejects as a real client would. */
function answerTime(clock: Clock, script: PeerScript, signal: AbortSignal): Promise<void> {
  if (script.refuse === true) return Promise.reject(new PeiliError('DIAL_REFUSED', 'refused by script'));
  return new Promise((resolve, reject) => {
    const timeUs =
      script.silent === true
        ? undefined
        : script.dialTimeout === true
          ? dialTimeoutUs
          : (script.headUs ?? defaultHeadUs);
    const timer =
      timeUs === undefined
        ? undefined
        : clock.schedule(timeUs, () => {
            letGo();
            if (script.dialTimeout === true) reject(new PeiliError('DIAL_TIMEOUT', 'unplugged by script'));
            else resolve();
          });
    const letGo = onAbort(signal, () => {
      timer?.cancel();
      reject(abortedError());
    });
  });
}
