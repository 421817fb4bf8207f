import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { errorCodeOf, PeiliError } from '../errors.ts';
import { parseRequest } from './parse-request.ts';
import { keyOf, targetOf } from './reference.ts';
import type { DistributionRequest } from './request.ts';

const sha256 = `sha256:${'0123456789abcdef'.repeat(4)}`;
const sha512 = `sha512:${'0123456789abcdef'.repeat(8)}`;

function parse(target: string, headers: Record<string, string> = {}, method = 'GET'): DistributionRequest {
  return parseRequest({ method, target, headers });
}

/** The code that a target is refused with, or the key that it was understood as. */
function outcome(target: string, headers: Record<string, string> = {}, method = 'GET'): string {
  try {
    const request = parse(target, headers, method);
    return request.resource === 'ping' ? 'ping' : keyOf(request);
  } catch (error) {
    return errorCodeOf(error) ?? `not ours: ${String(error)}`;
  }
}

function checkTable(table: readonly (readonly [target: string, expected: string])[]): void {
  for (const [target, expected] of table) assert.equal(outcome(target), expected, JSON.stringify(target.slice(0, 200)));
}

test('request: a tag, a manifest by digest and a blob are understood', () => {
  const base = {
    method: 'GET',
    mirrored: false,
    registry: 'docker.io',
    repository: 'library/busybox',
    range: undefined,
  };
  assert.deepEqual(parse('/v2/library/busybox/manifests/1.37.0?ns=docker.io'), {
    ...base,
    resource: 'manifest',
    tag: '1.37.0',
    digest: undefined,
  });
  assert.deepEqual(parse(`/v2/library/busybox/manifests/${sha256}?ns=docker.io`), {
    ...base,
    resource: 'manifest',
    tag: undefined,
    digest: sha256,
  });
  assert.deepEqual(parse(`/v2/library/busybox/blobs/${sha512}?ns=docker.io`), {
    ...base,
    resource: 'blob',
    digest: sha512,
    selfCheck: false,
  });
  assert.deepEqual(parse('/v2/', {}, 'HEAD'), { resource: 'ping', method: 'HEAD', mirrored: false });
  assert.equal(outcome('/v2'), 'ping');
});

test('request: only GET and HEAD, spelled so', () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'get', '', 'GET ', '__proto__']) {
    assert.equal(outcome('/v2/', {}, method), 'METHOD_UNSUPPORTED', method);
  }
});

test('request: paths outside the pull part of the distribution-spec are unknown', () => {
  checkTable([
    ['/', 'PATH_UNKNOWN'],
    ['/v1/', 'PATH_UNKNOWN'],
    ['/v2/_catalog', 'PATH_UNKNOWN'],
    ['/v2/a/tags/list', 'PATH_UNKNOWN'],
    [`/v2/a/referrers/${sha256}`, 'PATH_UNKNOWN'],
    ['/v2/a/blobs/uploads/', 'PATH_UNKNOWN'],
    ['/v2/manifests/x', 'PATH_UNKNOWN'],
    ['/v2/a/Manifests/x', 'PATH_UNKNOWN'],
    [`/v3/a/blobs/${sha256}`, 'PATH_UNKNOWN'],
    [`//v2/a/blobs/${sha256}`, 'PATH_UNKNOWN'],
    ['/readyz', 'PATH_UNKNOWN'],
  ]);
});

test('request: repository names follow the grammar, also where they hold the words of the path', () => {
  const names = [
    'a',
    'a0',
    'a/b/c',
    'a.b',
    'a_b',
    'a__b',
    'a-b',
    'a---b',
    'a/manifests',
    'manifests/blobs',
    'blobs/manifests/x',
    'a/manifests/b',
  ];
  for (const name of names) assert.equal(outcome(`/v2/${name}/manifests/t?ns=r.io`), `r.io/${name}:t`);
  const wrong = [
    '',
    'A',
    'a/',
    '/a',
    'a//b',
    '-a',
    'a-',
    'a..b',
    'a___b',
    'a._b',
    '.',
    '..',
    'a/..',
    '../a',
    'a/../b',
    'a b',
    'ä',
    'a:b',
    'a@b',
    'a+b',
  ];
  for (const name of wrong) {
    const got = outcome(`/v2/${name}/manifests/t?ns=r.io`);
    assert.ok(got === 'NAME_INVALID' || got === 'REQUEST_INVALID', `${name}: ${got}`);
  }
});

test('request: registry and repository together have at most 255 characters', () => {
  assert.equal(outcome(`/v2/${'a'.repeat(250)}/manifests/t?ns=r.io`), `r.io/${'a'.repeat(250)}:t`);
  assert.equal(outcome(`/v2/${'a'.repeat(251)}/manifests/t?ns=r.io`), 'NAME_INVALID');
  assert.equal(outcome(`/v2/${'a'.repeat(255)}/blobs/${sha256}`), sha256);
  assert.equal(outcome(`/v2/${'a'.repeat(256)}/blobs/${sha256}`), 'NAME_INVALID');
});

test('request: tags follow the grammar', () => {
  for (const tag of ['a', '_', 'A.b-c_d', '1.37.0', 'x'.repeat(128)])
    assert.equal(outcome(`/v2/a/manifests/${tag}?ns=r`), `r/a:${tag}`);
  for (const tag of ['', '.a', '-a', 'x'.repeat(129), 'a+b', 'a,b', '..'])
    assert.equal(outcome(`/v2/a/manifests/${tag}?ns=r`), 'TAG_INVALID', tag);
});

test('request: digests are sha256 or sha512, lower case, of the right length', () => {
  const hex = '0123456789abcdef'.repeat(4);
  const wrong = [
    `sha256:${hex}0`,
    `sha256:${hex.slice(1)}`,
    `sha256:${hex.toUpperCase()}`,
    `SHA256:${hex}`,
    `sha512:${hex}`,
    `sha384:${hex}${hex.slice(32)}`,
    `md5:${hex.slice(32)}`,
    'sha256:',
    ':',
    `sha256:${hex}:`,
  ];
  for (const digest of wrong) {
    assert.equal(outcome(`/v2/a/blobs/${digest}`), 'DIGEST_INVALID', digest);
    assert.equal(outcome(`/v2/a/manifests/${digest}?ns=r`), 'DIGEST_INVALID', digest);
  }
  assert.equal(outcome('/v2/a/blobs/latest'), 'DIGEST_INVALID');
});

test('request: ns is one registry, host or host:port', () => {
  const registries = [
    'docker.io',
    'localhost',
    'localhost:5000',
    'r-1.example.com:443',
    '10.0.0.1:80',
    'my_registry:5000',
    'Docker.IO',
    'r:65535',
    'r:00080',
  ];
  for (const registry of registries) assert.equal(outcome(`/v2/a/manifests/t?ns=${registry}`), `${registry}/a:t`);
  for (const registry of ['[::1]:5000', '[fd00::a]', '[::ffff:10.0.0.1]:80']) {
    assert.equal(outcome(`/v2/a/manifests/t?ns=${encodeURIComponent(registry)}`), `${registry}/a:t`);
    assert.equal(outcome(`/v2/a/manifests/t?ns=${registry}`), `${registry}/a:t`);
  }
  const wrong = [
    '',
    'https://docker.io',
    'docker.io/',
    'docker.io/library',
    '/',
    '..',
    'a..b',
    '.a',
    'a.',
    '-a',
    'a-',
    'a:',
    'a:0',
    'a:65536',
    'a:123456',
    'a:b',
    'a:1:2',
    '::1',
    '[]',
    '[::1',
    '[::1]x',
    '[fe80::1%25eth0]',
    '%00',
    'a%00',
    'a%0d%0a',
    'a+b',
    'a%2fb',
    'docker%252eio',
    `${'a.'.repeat(150)}a`,
  ];
  for (const registry of wrong)
    assert.equal(outcome(`/v2/a/manifests/t?ns=${registry}`), 'NAMESPACE_INVALID', registry);
});

test('request: ns is given at most once, and must be for a tag', () => {
  checkTable([
    ['/v2/a/manifests/t', 'NAMESPACE_MISSING'],
    ['/v2/a/manifests/t?', 'NAMESPACE_MISSING'],
    ['/v2/a/manifests/t?NS=r', 'NAMESPACE_MISSING'],
    ['/v2/a/manifests/t?ns', 'NAMESPACE_INVALID'],
    ['/v2/a/manifests/t?ns=r&ns=r', 'NAMESPACE_INVALID'],
    ['/v2/a/manifests/t?ns=r&n%73=s', 'NAMESPACE_INVALID'],
    ['/v2/a/manifests/t?ns=&ns=r', 'NAMESPACE_INVALID'],
    ['/v2/a/manifests/t?x=1&ns=r&y', 'r/a:t'],
    ['/v2/a/manifests/t?n%73=r', 'r/a:t'],
    [`/v2/a/blobs/${sha256}`, sha256],
    [`/v2/a/blobs/${sha256}?ns=`, 'NAMESPACE_INVALID'],
  ]);
});

test('request: a Spegel node forwards a digest without ns as an empty one', () => {
  const request = parse(`/v2/a/blobs/${sha256}?ns=`, { 'x-spegel-mirrored': 'true' });
  assert.ok(request.resource === 'blob' && request.registry === undefined);
  assert.equal(outcome('/v2/a/manifests/t?ns=', { 'x-spegel-mirrored': 'true' }), 'NAMESPACE_MISSING');
});

test('request: percent-encoding is decoded once, and what it hides is judged as if it were plain', () => {
  checkTable([
    [`/v2/a/blobs/${sha256.replace(':', '%3A')}`, sha256],
    ['/v2/%61/manifests/%74?ns=r', 'r/a:t'],
    ['/v2/a%2fb/manifests/t?ns=r', 'NAME_INVALID'],
    ['/v2/a%2Fmanifests%2Fb/manifests/t?ns=r', 'NAME_INVALID'],
    ['/v2%2fa/manifests/t?ns=r', 'PATH_UNKNOWN'],
    ['/v2/%2e%2e/manifests/t?ns=r', 'NAME_INVALID'],
    ['/v2/..%2f..%2fetc/manifests/t?ns=r', 'NAME_INVALID'],
    ['/v2/a/manifests/%2e%2e?ns=r', 'TAG_INVALID'],
    ['/v2/a/manifests/..%2f..%2fb?ns=r', 'TAG_INVALID'],
    ['/v2/a/manifests/t%2f?ns=r', 'TAG_INVALID'],
    ['/v2/a/manifests/t%00?ns=r', 'TAG_INVALID'],
    ['/v2/a/manifests/t%5c?ns=r', 'TAG_INVALID'],
    ['/v2/a%252fb/manifests/t?ns=r', 'NAME_INVALID'],
    ['/v2/a/manifests/%2574?ns=r', 'TAG_INVALID'],
    ['/v2/a/manifests/%?ns=r', 'REQUEST_INVALID'],
    ['/v2/a/manifests/%zz?ns=r', 'REQUEST_INVALID'],
    ['/v2/a/manifests/%ff?ns=r', 'REQUEST_INVALID'],
    [`/v2/a/blobs/${sha256}%00`, 'DIGEST_INVALID'],
    [`/v2/a/blobs/..%2f${sha256}`, 'DIGEST_INVALID'],
  ]);
});

test('request: characters that no target may have are refused', () => {
  for (const bad of [
    '\0',
    '\\',
    ' ',
    '\n',
    '\r',
    '\t',
    '#',
    '"',
    '<',
    '>',
    '^',
    '`',
    '{',
    '|',
    '}',
    '\x7f',
    'é',
    '\ud800',
  ]) {
    assert.equal(outcome(`/v2/a/manifests/t${bad}?ns=r`), 'REQUEST_INVALID', JSON.stringify(bad));
  }
});

test('request: absolute form is reduced to origin form, other forms are refused', () => {
  checkTable([
    ['http://mirror.local:5000/v2/a/manifests/t?ns=r', 'r/a:t'],
    ['HTTPS://10.0.0.1/v2/', 'ping'],
    ['http://[::1]:5000/v2/', 'ping'],
    ['http://mirror.local', 'PATH_UNKNOWN'],
    ['http://mirror.local?ns=r', 'PATH_UNKNOWN'],
    ['http:///v2/', 'REQUEST_INVALID'],
    ['ftp://host/v2/', 'REQUEST_INVALID'],
    ['*', 'REQUEST_INVALID'],
    ['host:80', 'REQUEST_INVALID'],
    ['', 'REQUEST_INVALID'],
    ['v2/', 'REQUEST_INVALID'],
  ]);
});

test('request: the headers between mirrors count as said, the self-check on a mirrored HEAD of a blob alone', () => {
  const blob = `/v2/a/blobs/${sha256}`;
  const both = { 'x-spegel-mirrored': 'true', 'peili-self-check': 'true' };
  const selfCheck = (method: string, headers: Record<string, string>): boolean => {
    const request = parse(blob, headers, method);
    return request.resource === 'blob' && request.selfCheck;
  };
  assert.equal(selfCheck('HEAD', both), true);
  assert.equal(selfCheck('GET', both), false);
  assert.equal(selfCheck('HEAD', { 'peili-self-check': 'true' }), false);
  assert.equal(selfCheck('HEAD', { ...both, 'peili-self-check': '1' }), false);
  assert.equal(parse(blob, both).mirrored, true);
  assert.equal(parse(blob, { 'x-spegel-mirrored': 'false' }).mirrored, false);
  assert.equal(parse('/v2/', both).mirrored, true);
});

test('request: the range goes on as it came, and is off when If-Range asks for a validator', () => {
  const range = (headers: Record<string, string>): string | undefined => {
    const request = parse(`/v2/a/blobs/${sha256}`, headers);
    return request.resource === 'ping' ? undefined : request.range;
  };
  assert.equal(range({ range: 'bytes=1-2' }), 'bytes=1-2');
  assert.equal(range({}), undefined);
  assert.equal(range({ range: 'bytes=1-2', 'if-range': '"etag"' }), undefined);
});

/** Ordinary objects, so that they compare with parsed ones. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T, keyof T>(model, { noNullPrototype: true });
}

const component = fc.stringMatching(/^[a-z0-9]{1,6}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
const repository = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const registry = fc.oneof(
  fc.domain(),
  fc.tuple(fc.domain(), fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `${host}:${port}`),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]:5000`),
);
const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,30}$/);
const digest = fc.oneof(fc.stringMatching(/^sha256:[0-9a-f]{64}$/), fc.stringMatching(/^sha512:[0-9a-f]{128}$/));
const method = fc.constantFrom('GET' as const, 'HEAD' as const);
const common = { method, mirrored: fc.boolean(), repository, range: fc.constantFrom(undefined, 'bytes=3-') };
const validRequest: fc.Arbitrary<DistributionRequest> = fc.oneof(
  record({ resource: fc.constant('ping' as const), method, mirrored: fc.boolean() }),
  record({ ...common, resource: fc.constant('manifest' as const), registry, tag, digest: fc.constant(undefined) }),
  record({
    ...common,
    resource: fc.constant('manifest' as const),
    registry: fc.option(registry, { nil: undefined }),
    tag: fc.constant(undefined),
    digest,
  }),
  record({
    ...common,
    resource: fc.constant('blob' as const),
    registry: fc.option(registry, { nil: undefined }),
    digest,
    selfCheck: fc.constant(false),
  }),
);

test('request: the target written for a request is read back as that request', () => {
  fc.assert(
    fc.property(validRequest, (request) => {
      const headers: Record<string, string> = request.mirrored ? { 'x-spegel-mirrored': 'true' } : {};
      if (request.resource !== 'ping' && request.range !== undefined) headers['range'] = request.range;
      assert.deepEqual(parse(targetOf(request), headers, request.method), request);
    }),
  );
});

const fragment = fc.constantFrom(
  '/',
  '/v2/',
  '..',
  '%2e',
  '%2f',
  '%',
  '%00',
  '?',
  '&',
  'ns=',
  '=',
  'manifests/',
  'blobs/',
  'a',
  '-',
  '_',
  '.',
  ':',
  sha256,
  'sha256:',
  '[',
  ']',
  '\\',
  '\0',
  'http://',
  'é',
  '#',
);
const hostileTarget = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.array(fragment, { maxLength: 12 }).map((parts) => `/v2/${parts.join('')}`),
  fc.array(fragment, { maxLength: 6 }).map((parts) => `/v2/a/manifests/${parts.join('')}`),
);
const headerName = fc.oneof(
  fc.constantFrom('x-spegel-mirrored', 'peili-self-check', 'range', 'if-range', '__proto__', 'constructor'),
  fc.string(),
);
const hostileHeaders = fc.dictionary(headerName, fc.oneof(fc.constant('true'), fc.string({ unit: 'binary' })));

test('request: whatever comes in, a request of the grammar or our error goes out', () => {
  fc.assert(
    fc.property(fc.oneof(method, fc.string()), hostileTarget, hostileHeaders, (anyMethod, target, headers) => {
      let request: DistributionRequest;
      try {
        request = parseRequest({ method: anyMethod, target, headers });
      } catch (error) {
        assert.ok(error instanceof PeiliError, String(error));
        return;
      }
      if (request.resource === 'ping') return;
      assert.ok(!/(?:^|\/)\.{1,2}(?:\/|$)|[\\\0%]/.test(`${request.repository}/${keyOf(request)}`));
      assert.deepEqual(parseRequest({ method: request.method, target: targetOf(request), headers }), request);
    }),
    { numRuns: 2_000 },
  );
});

test('request: hostile text of 64 KiB costs no more than its length', () => {
  const long = 65_536;
  const texts = ['a', 'a-', '-', '_', 'a/', 'a.', '/', '%2e', '%', '&ns', '&', 'manifests/', '[:', '0'].map((part) =>
    part.repeat(long / part.length),
  );
  const targets = texts.flatMap((text) => [
    text,
    `/${text}`,
    `/v2/${text}/manifests/t!`,
    `/v2/a/manifests/${text}!`,
    `/v2/a/manifests/t?ns=${text}!`,
    `/v2/a/manifests/t?${text}`,
    `http://${text}`,
  ]);
  const startedAt = performance.now();
  for (const target of targets) outcome(target, { range: target });
  const perTargetMs = (performance.now() - startedAt) / targets.length;
  assert.ok(perTargetMs < 20, `${perTargetMs} ms`);
});
