import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistryFilter } from '../filters/registry-filter.ts';
import { parseRequest } from '../requests/parse-request.ts';
import { filter } from './filter.ts';
import type { DistributionResponse, Handler } from './handler.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** Runs one request through the filter; `passed` counts what reached the handler behind it. */
async function run(
  method: string,
  target: string,
  patterns: readonly string[],
): Promise<{ response: DistributionResponse; passed: number }> {
  let passed = 0;
  const next: Handler = () => {
    passed += 1;
    return Promise.resolve({ status: 200, headers: {} });
  };
  const handler = filter(next, { filter: createRegistryFilter({ registryFilters: patterns }) });
  const request = parseRequest({ method, target, headers: {} });
  const response = await handler({
    request,
    signal: new AbortController().signal,
    report: { pullId: 1, step: () => undefined },
  });
  return { response, passed };
}

test('filter handler: a filtered request is 404 with an OCI body, and nothing is looked up', async () => {
  const targets = ['/v2/a/manifests/latest?ns=docker.io', `/v2/a/manifests/${digest}`, `/v2/a/blobs/${digest}`];
  for (const target of targets) {
    const { response, passed } = await run('GET', target, [':latest$']);
    assert.equal(response.status, 404);
    assert.equal(passed, 0);
    const chunk = await response.body?.next();
    assert.ok(chunk?.value instanceof Uint8Array);
    assert.equal(String(chunk.value.byteLength), response.headers['content-length']);
    assert.equal(JSON.parse(new TextDecoder().decode(chunk.value)).errors[0].detail.reason, 'FILTERED');
  }
});

test('filter handler: a filtered HEAD is 404 without a body', async () => {
  const { response, passed } = await run('HEAD', '/v2/a/manifests/latest?ns=docker.io', [':latest$']);
  assert.deepEqual([response.status, response.body, passed], [404, undefined, 0]);
});

test('filter handler: what is not filtered goes on, and so does a ping', async () => {
  for (const target of ['/v2/', '/v2/a/manifests/1?ns=docker.io', `/v2/a/blobs/${digest}?ns=docker.io`]) {
    const { response, passed } = await run('GET', target, [':latest$']);
    assert.deepEqual([response.status, passed], [200, 1], target);
  }
});
