import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedAnswers, isAllowed } from './mirror-model.ts';
import type { ModelContent, ModelRequest, ModelState } from './mirror-model.ts';

const request: ModelRequest = {
  method: 'GET',
  resource: 'blob',
  registry: 'docker.io',
  repository: 'library/app',
  tag: undefined,
  digest: 'sha256:a',
  range: undefined,
  isMirrored: false,
};
const content: ModelContent = { digest: 'sha256:a', sizeBytes: 100, isHere: 'never', isElsewhere: false };
const statuses = (changes: Partial<ModelRequest>, about: Partial<ModelContent>, state: Partial<ModelState> = {}) =>
  allowedAnswers(
    { ...request, ...changes },
    { filter: {}, contents: [{ ...content, ...about }], mayRefuse: false, mayMiss: false, ...state },
  ).map(({ status }) => status);

test('reference model: what is here is answered, what is nowhere is not, what is elsewhere may be', () => {
  assert.deepEqual(statuses({}, { isHere: 'always' }), [200]);
  assert.deepEqual(statuses({}, { isHere: 'perhaps' }), [200, 404]);
  assert.deepEqual(statuses({}, {}), [404]);
  assert.deepEqual(statuses({}, { isElsewhere: true }), [200, 404]);
  assert.deepEqual(statuses({}, { isHere: 'always' }, { mayMiss: true }), [200, 404]);
});

test('reference model: mirrors are answered from this node alone, and may be turned away; clients never', () => {
  assert.deepEqual(statuses({ isMirrored: true }, { isElsewhere: true }), [404]);
  assert.deepEqual(statuses({ isMirrored: true }, { isHere: 'always' }, { mayRefuse: true }), [503, 200]);
  assert.deepEqual(statuses({}, { isHere: 'always' }, { mayRefuse: true }), [200]);
});

test('reference model: what is filtered is 404, whoever has it', () => {
  const here = { isHere: 'always' } as const;
  assert.deepEqual(statuses({}, here, { filter: { registryFilters: ['library/'] } }), [404]);
  assert.deepEqual(statuses({}, here, { filter: { registryFilters: ['other/'] } }), [200]);
  assert.deepEqual(statuses({}, here, { filter: { mirroredRegistries: ['ghcr.io'] } }), [404]);
  assert.deepEqual(statuses({}, here, { filter: { blobsOnlyRegistries: ['docker.io'] } }), [200]);
  assert.deepEqual(statuses({ resource: 'manifest' }, here, { filter: { blobsOnlyRegistries: ['docker.io'] } }), [404]);
});

test('reference model: a head is exact to the byte and the digest', () => {
  const allowed = allowedAnswers(
    { ...request, range: 'bytes=10-19' },
    { filter: {}, contents: [{ ...content, isHere: 'always' }], mayRefuse: false, mayMiss: false },
  );
  const right = { status: 206, lengthBytes: 10, contentRange: 'bytes 10-19/100', digest: 'sha256:a' };
  assert.equal(isAllowed(right, allowed), true);
  assert.equal(isAllowed({ ...right, status: 200 }, allowed), false);
  assert.equal(isAllowed({ ...right, lengthBytes: 11 }, allowed), false);
  assert.equal(isAllowed({ ...right, contentRange: 'bytes 10-19/101' }, allowed), false);
  assert.equal(isAllowed({ ...right, digest: 'sha256:b' }, allowed), false);
  assert.equal(isAllowed({ status: 404, contentRange: '' }, allowed), false);
});

test('reference model: an open range from 0 is the whole to a client, and a part to a mirror', () => {
  const here = { isHere: 'always' } as const;
  assert.deepEqual(statuses({ range: 'bytes=0-' }, here), [200]);
  assert.deepEqual(statuses({ range: 'bytes=0-', isMirrored: true }, here), [206]);
  assert.deepEqual(statuses({ range: 'bytes=100-' }, here), [416]);
});
