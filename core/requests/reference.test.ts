import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { errorCodeOf } from '../errors.ts';
import { keyOf, nameOf, parseReference, referenceOf, targetOf } from './reference.ts';
import type { BlobRequest, ManifestRequest } from './request.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const base = {
  method: 'GET',
  mirrored: false,
  registry: 'docker.io',
  repository: 'library/busybox',
  range: undefined,
} as const;
const byTag: ManifestRequest = { ...base, resource: 'manifest', tag: '1.37.0', digest: undefined };
const byDigest: ManifestRequest = { ...base, resource: 'manifest', tag: undefined, digest };
const blob: BlobRequest = { ...base, resource: 'blob', digest, selfCheck: false };

test('key: a digest is its own key, a tag is known by registry, repository and tag', () => {
  assert.equal(keyOf(byTag), 'docker.io/library/busybox:1.37.0');
  assert.equal(keyOf(byDigest), digest);
  assert.equal(keyOf(blob), digest);
  assert.throws(
    () => keyOf({ ...byTag, registry: undefined }),
    (error) => errorCodeOf(error) === 'NAMESPACE_MISSING',
  );
});

test("reference: is the request's own name, without digest, and nothing without a registry", () => {
  assert.equal(referenceOf(byTag), 'docker.io/library/busybox:1.37.0');
  assert.equal(referenceOf(byDigest), 'docker.io/library/busybox');
  assert.equal(referenceOf(blob), 'docker.io/library/busybox');
  assert.equal(referenceOf({ ...blob, registry: undefined }), undefined);
});

test('target: keeps the registry, brackets encoded', () => {
  assert.equal(targetOf(byTag), '/v2/library/busybox/manifests/1.37.0?ns=docker.io');
  assert.equal(
    targetOf({ ...blob, registry: 'localhost:5000' }),
    `/v2/library/busybox/blobs/${digest}?ns=localhost:5000`,
  );
  assert.equal(
    targetOf({ ...blob, registry: '[::1]:5000' }),
    `/v2/library/busybox/blobs/${digest}?ns=%5B%3A%3A1%5D%3A5000`,
  );
  assert.equal(targetOf({ ...byDigest, registry: undefined }), `/v2/library/busybox/manifests/${digest}`);
});

test('stored name: full names are read, with port, IPv6, tag and digest', () => {
  const table: [string, string, string, string | undefined, string | undefined][] = [
    ['docker.io/library/busybox:1.37.0', 'docker.io', 'library/busybox', '1.37.0', undefined],
    ['localhost:5000/a/b:tag', 'localhost:5000', 'a/b', 'tag', undefined],
    ['localhost:5000/a', 'localhost:5000', 'a', undefined, undefined],
    ['[::1]:5000/a:tag', '[::1]:5000', 'a', 'tag', undefined],
    [`ghcr.io/a/b@${digest}`, 'ghcr.io', 'a/b', undefined, digest],
    [`ghcr.io/a/b:v1@${digest}`, 'ghcr.io', 'a/b', 'v1', digest],
    ['library/busybox:1', 'library', 'busybox', '1', undefined],
  ];
  for (const [text, registry, repository, tag, itsDigest] of table) {
    assert.deepEqual(parseReference(text), { registry, repository, tag, digest: itsDigest }, text);
  }
});

test('stored name: what is no full name is nothing, and never throws', () => {
  const wrong = [
    '',
    '/',
    ':',
    '@',
    'busybox',
    'busybox:1',
    digest,
    'docker.io/',
    '/a',
    'docker.io/A',
    'docker.io/a:',
    'docker.io/a@',
    'docker.io/a:b:c',
    'docker.io/a@sha256:12',
    `docker.io/a@${digest}@${digest}`,
    'https://docker.io/a',
    'docker.io/../a',
    'docker.io/a/..:t',
    'docker.io/a\0',
    'docker.io/a b',
    '[::1/a',
    `r.io/${'a'.repeat(251)}`,
  ];
  for (const text of wrong) assert.equal(parseReference(text), undefined, text);
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a:@/.[\]0-]{0,12}$/)), (text) => {
      const reference = parseReference(text);
      if (reference === undefined) return;
      const written = reference.digest === undefined ? nameOf(reference) : `${nameOf(reference)}@${reference.digest}`;
      assert.equal(written, text);
    }),
    { numRuns: 1_000 },
  );
});
