/** The head of an answer that this client reads itself: HTTP/1.1, with a body of a known length or none. */
export interface ResponseHead {
  readonly status: number;
  /** Lower-case names; a repeated field's values joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of body that follow; 0 when there is none (HEAD, 204, 304). */
  readonly bodyBytes: number;
  /** Whether the connection may carry another request afterwards. */
  readonly persistent: boolean;
  /** Bytes of the head, its empty line included. */
  readonly headBytes: number;
}

/**
 * `plain`: unmistakably what it says. `other`: HTTP, but of a kind that is left to a complete client (chunked, without a length, interim, 1.0).
 * `malformed`: everything else, whatever a lenient reader might make of it.
 */
export type HeadOutcome =
  | { readonly kind: 'more' }
  | { readonly kind: 'plain'; readonly head: ResponseHead }
  | { readonly kind: 'other' }
  | { readonly kind: 'malformed'; readonly reason: string };

export interface HeadReader {
  /** Takes all bytes received so far, not only the new ones. After an outcome other than `more` it is finished. */
  read(received: Uint8Array): HeadOutcome;
}

const more: HeadOutcome = { kind: 'more' };
const versionPrefix = Uint8Array.from('HTTP/1.', (character) => character.charCodeAt(0));
const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const del = 0x7f;

/** Reads one response head (RFC 9112 section 4) of at most `maxBytes`, however its bytes arrive. */
export function createHeadReader(method: 'GET' | 'HEAD', maxBytes: number): HeadReader {
  const state = { at: 0, afterReturn: false, lineBytes: 0 };
  return {
    read: (received) => {
      const endAt = Math.min(received.byteLength, maxBytes);
      for (; state.at < endAt; state.at += 1) {
        const byte = received[state.at] ?? 0;
        if (state.at < versionPrefix.byteLength && byte !== versionPrefix[state.at]) return malformed('no status line');
        if (state.afterReturn) {
          if (byte !== lineFeed) return malformed('a carriage return without line feed');
          if (state.lineBytes === 0) return parseHead(received.subarray(0, state.at + 1), method);
          state.afterReturn = false;
          state.lineBytes = 0;
        } else if (byte === carriageReturn) {
          state.afterReturn = true;
        } else if ((byte < space && byte !== tab) || byte === del) {
          return malformed('a control character');
        } else {
          state.lineBytes += 1;
        }
      }
      return received.byteLength >= maxBytes ? malformed(`longer than ${String(maxBytes)} bytes`) : more;
    },
  };
}

const statusLine = /^HTTP\/1\.([01]) (\d{3}) .*$/;
const fieldName = /^[\w!#$%&'*+.^`|~-]+$/;
const lengthValue = /^(?:0|[1-9]\d{0,14})$/;

/** `bytes` are lines ended by CR LF, the last one empty, without other control characters. */
function parseHead(bytes: Uint8Array, method: 'GET' | 'HEAD'): HeadOutcome {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength - 4)
    .toString('latin1')
    .split('\r\n');
  const first = statusLine.exec(lines[0] ?? '');
  const status = Number(first?.[2]);
  if (first === null || status < 100 || status > 599) return malformed('no valid status line');

  const headers: Record<string, string> = {};
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!fieldName.test(name)) return malformed('no valid field name');
    // An assignment to it would change the object instead of adding a field.
    if (name === '__proto__') continue;
    // Blanks after the digits are legal, and complete clients disagree about them.
    if (name === 'content-length' && isBlank(line.charCodeAt(line.length - 1)))
      return malformed('blanks after a length');
    const value = trimmed(line, colon + 1);
    headers[name] = Object.hasOwn(headers, name) ? `${String(headers[name])}, ${value}` : value;
  }
  return judge({
    method,
    status,
    interimOrOld: status < 200 || first[1] === '0',
    headers,
    headBytes: bytes.byteLength,
  });
}

interface ParsedHead {
  readonly method: 'GET' | 'HEAD';
  readonly status: number;
  readonly interimOrOld: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly headBytes: number;
}

/** Whether the end of the message is beyond doubt (RFC 9112 section 6.3). Repeated lengths, equal or not, are not. */
function judge({ method, status, interimOrOld, headers, headBytes }: ParsedHead): HeadOutcome {
  const length = headers['content-length'];
  const coding = headers['transfer-encoding'];
  if (length !== undefined && !lengthValue.test(length)) return malformed('no valid content-length');
  if (length !== undefined && coding !== undefined) return malformed('both content-length and transfer-encoding');
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return malformed('an unknown transfer-encoding');
  if (status === 204 && (length ?? '0') !== '0') return malformed('a length without content');
  const empty = method === 'HEAD' || status === 204 || status === 304;
  if (interimOrOld || coding !== undefined || (length === undefined && !empty)) return { kind: 'other' };
  const persistent = !(headers['connection'] ?? '')
    .toLowerCase()
    .split(/[\t ]*,[\t ]*/)
    .includes('close');
  return { kind: 'plain', head: { status, headers, bodyBytes: empty ? 0 : Number(length), persistent, headBytes } };
}

/** Without the blanks around. A regular expression would go over a long run of them again and again. */
function trimmed(line: string, start: number): string {
  let from = start;
  let to = line.length;
  while (from < to && isBlank(line.charCodeAt(from))) from += 1;
  while (to > from && isBlank(line.charCodeAt(to - 1))) to -= 1;
  return line.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === space || code === tab;
}

function malformed(reason: string): HeadOutcome {
  return { kind: 'malformed', reason };
}
