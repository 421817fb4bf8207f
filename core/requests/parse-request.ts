import { PeiliError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { RequestText } from '../handlers/mirror.ts';
import { fitsName, isDigest, isRegistry, isRepository, isTag, nameMaxLength } from './grammar.ts';
import type { DistributionRequest } from './request.ts';

/** Visible ASCII without backslash, `#` and the few that RFC 3986 never allows: what a target may be made of. */
const targetPattern = /^[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]*$/;
const encodedSlash = /%2f/i;
/** What of an offending text goes into an error: enough to recognise it. */
const excerptMaxLength = 80;

/**
 * Understands a request by the grammar of the OCI distribution-spec ("Pull"), or throws a `PeiliError` that says what to do.
 *
 * - Percent-encoding is decoded once in each name segment, and what comes out must be of the name grammar: no segment can become another path.
 * - `ns` is needed for a tag. Given twice or empty it is refused, but for the empty one of a mirror: Spegel forwards a request without `ns` so.
 * - `If-Range` switches the range off (RFC 9110, 13.1.5): answers carry no validator that it could match.
 * - `peili-self-check` counts on a mirror's HEAD of a blob alone.
 *
 * @throws METHOD_UNSUPPORTED, REQUEST_INVALID, PATH_UNKNOWN, NAME_INVALID, TAG_INVALID, DIGEST_INVALID, NAMESPACE_INVALID, NAMESPACE_MISSING
 */
export function parseRequest(input: RequestText): DistributionRequest {
  const { method, headers } = input;
  if (method !== 'GET' && method !== 'HEAD') throw refusal('METHOD_UNSUPPORTED', 'unsupported method', method);
  const { path, query } = splitTarget(input.target);
  const mirrored = headers['x-spegel-mirrored'] === 'true';
  if (path === '/v2/' || path === '/v2') return { resource: 'ping', method, mirrored };

  const { resource, name, reference } = splitPath(path);
  const repository = decodeOnce(name);
  // A slash that was encoded belongs to its segment: it must not make two of it.
  if (encodedSlash.test(name) || !isRepository(repository))
    throw refusal('NAME_INVALID', 'invalid repository name', repository);
  const registry = parseNamespace(query, mirrored);
  if (!fitsName(registry, repository)) {
    throw refusal('NAME_INVALID', `registry and repository are longer than ${nameMaxLength} characters`, repository);
  }
  const range = headers['if-range'] === undefined ? headers['range'] : undefined;
  const decoded = decodeOnce(reference);
  if (resource === 'blob') {
    if (!isDigest(decoded)) throw refusal('DIGEST_INVALID', 'invalid digest', decoded);
    const selfCheck = mirrored && method === 'HEAD' && headers['peili-self-check'] === 'true';
    return { resource, method, mirrored, registry, repository, range, digest: decoded, selfCheck };
  }
  if (decoded.includes(':')) {
    if (!isDigest(decoded)) throw refusal('DIGEST_INVALID', 'invalid digest', decoded);
    return { resource, method, mirrored, registry, repository, range, tag: undefined, digest: decoded };
  }
  if (!isTag(decoded)) throw refusal('TAG_INVALID', 'invalid tag', decoded);
  if (registry === undefined) throw refusal('NAMESPACE_MISSING', 'a tag was asked for without ns', decoded);
  return { resource, method, mirrored, registry, repository, range, tag: decoded, digest: undefined };
}

/** Origin form, or absolute form reduced to it, as a server must (RFC 9112, 3.2.2). */
function splitTarget(target: string): { readonly path: string; readonly query: string } {
  if (!targetPattern.test(target))
    throw refusal('REQUEST_INVALID', 'a character that no request target may have', target);
  const origin = target.startsWith('/') ? target : originForm(target);
  const mark = origin.indexOf('?');
  return mark < 0 ? { path: origin, query: '' } : { path: origin.slice(0, mark), query: origin.slice(mark + 1) };
}

function originForm(target: string): string {
  const match = /^https?:\/\/[^/?]+/i.exec(target);
  if (match === null) throw refusal('REQUEST_INVALID', 'not an origin-form or absolute-form target', target);
  const rest = target.slice(match[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** From the end: a reference has no slash, so the last `manifests` or `blobs` is the right one even where a name holds the word. */
function splitPath(path: string): {
  readonly resource: 'manifest' | 'blob';
  readonly name: string;
  readonly reference: string;
} {
  const last = path.lastIndexOf('/');
  const kindStart = path.lastIndexOf('/', last - 1);
  const kind = path.slice(kindStart + 1, last);
  if (!path.startsWith('/v2/') || kindStart <= 3 || (kind !== 'manifests' && kind !== 'blobs')) {
    throw refusal('PATH_UNKNOWN', 'unknown path', path);
  }
  return {
    resource: kind === 'blobs' ? 'blob' : 'manifest',
    name: path.slice(4, kindStart),
    reference: path.slice(last + 1),
  };
}

function parseNamespace(query: string, mirrored: boolean): string | undefined {
  let found: string | undefined;
  for (const pair of query === '' ? [] : query.split('&')) {
    const equals = pair.indexOf('=');
    const key = equals < 0 ? pair : pair.slice(0, equals);
    if (key !== 'ns' && !(key.includes('%') && decodeOnce(key) === 'ns')) continue;
    if (found !== undefined) throw refusal('NAMESPACE_INVALID', 'ns is given more than once', query);
    found = equals < 0 ? '' : decodeOnce(pair.slice(equals + 1));
  }
  if (found === undefined || (found === '' && mirrored)) return undefined;
  if (!isRegistry(found)) throw refusal('NAMESPACE_INVALID', 'ns is no registry', found);
  return found;
}

function decodeOnce(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw refusal('REQUEST_INVALID', 'malformed percent-encoding', text, error);
  }
}

function refusal(code: ErrorCode, message: string, text: string, cause?: unknown): PeiliError {
  const excerpt = text.length > excerptMaxLength ? `${text.slice(0, excerptMaxLength)}...` : text;
  return new PeiliError(code, `${message}: ${JSON.stringify(excerpt)}`, {}, cause);
}
