import { PeiliError } from '../../core/index.ts';
import type { PeerRequest } from '../../core/index.ts';

const fieldName = /^[\w!#$%&'*+.^`|~-]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const requestTarget = /^\/[\x21-\x7e]*$/;

/**
 * A request's head on the wire. `authority` is the Host field's value.
 * Throws `REQUEST_INVALID` for text that would be read as something else than it is, a line break above all.
 */
export function requestHead({ method, target, headers }: PeerRequest, authority: string): string {
  if (!requestTarget.test(target)) throw invalid('target', target);
  let text = `${method} ${target} HTTP/1.1\r\nhost: ${authority}\r\n`;
  for (const name in headers) {
    const value = headers[name] ?? '';
    if (!fieldName.test(name)) throw invalid('field name', name);
    if (!fieldValue.test(value)) throw invalid('field value', value);
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}

function invalid(what: string, text: string): PeiliError {
  return new PeiliError('REQUEST_INVALID', `not a ${what} that can be sent`, { text });
}
