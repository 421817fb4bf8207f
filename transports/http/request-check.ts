import { PeiliError } from '../../core/index.ts';

/** What of a request node:http leaves to the server (RFC 9112 sections 3.2, 6.1; RFC 9110 section 10.1.1). */
export type CheckedRequest =
  | { readonly kind: 'accepted'; readonly headers: Readonly<Record<string, string>> }
  /** The connection ends after the answer: what follows on it may not be a request. */
  | { readonly kind: 'refused'; readonly status: number; readonly error: PeiliError };

/** uri-host [":" port] of RFC 9110 section 7.2; may be empty. */
const validHost = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::\d*)?$/;

/** `rawHeaders` alternates names and values, as node:http gives them. Repeated fields are joined with `, `. */
export function checkRequest(httpVersion: string, rawHeaders: readonly string[]): CheckedRequest {
  const headers: Record<string, string> = {};
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    // An assignment to it would change the object instead of adding a field.
    if (name === '__proto__') continue;
    const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return refused(505, 'only HTTP/1.1 and HTTP/1.0 are spoken');
  if (headers['host'] === undefined && httpVersion === '1.1') return refused(400, 'the request has no Host field');
  // Two of them, joined, are none.
  if (!validHost.test(headers['host'] ?? '')) return refused(400, 'the Host field is not one host');
  if (headers['transfer-encoding'] !== undefined) return refused(400, 'a request to a mirror has no body');
  if (!/^0*$/.test(headers['content-length'] ?? '')) return refused(413, 'a request to a mirror has no body');
  if (headers['expect'] !== undefined) return refused(417, 'no expectation can be met: a request has no body');
  return { kind: 'accepted', headers };
}

function refused(status: number, message: string): CheckedRequest {
  return { kind: 'refused', status, error: new PeiliError('REQUEST_INVALID', message) };
}
