import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorTable, PeiliError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Body } from '../ports/index.ts';
import { bytesBody, errorResponse } from './responses.ts';

test('error response: its body is an OCI error of exactly content-length bytes, for every code', async () => {
  for (const code of codes()) {
    const response = errorResponse(new PeiliError(code, 'it went ümlaut'), { method: 'GET' });
    const text = await textOf(response.body);
    assert.equal(response.headers['content-length'], String(new TextEncoder().encode(text).byteLength));
    assert.equal(response.headers['content-type'], 'application/json');
    const [first] = JSON.parse(text).errors;
    assert.equal(first.code, errorTable[code].ociCode);
    assert.equal(first.detail.reason, code);
  }
});

test('error response: HEAD has the headers of GET and no body', () => {
  const error = new PeiliError('BLOB_UNKNOWN', 'nobody has it');
  const head = errorResponse(error, { method: 'HEAD' });
  assert.deepEqual(head.headers, errorResponse(error, { method: 'GET' }).headers);
  assert.equal('body' in head, false);
});

test('error response: a client never sees 408, 429 or 5xx, a mirror sees what is so', () => {
  for (const code of codes()) {
    const { status } = errorResponse(new PeiliError(code, ''), { method: 'GET', mirrored: false });
    assert.ok(status < 500 && status !== 429 && status !== 408, `${code}: ${status}`);
    assert.equal(
      errorResponse(new PeiliError(code, ''), { method: 'GET', mirrored: true }).status,
      errorTable[code].status,
    );
  }
});

test('error response: 405 names the methods, 416 the size', () => {
  assert.equal(errorResponse(new PeiliError('METHOD_UNSUPPORTED', '')).headers['allow'], 'GET, HEAD');
  const unsatisfiable = errorResponse(new PeiliError('RANGE_UNSATISFIABLE', '', { sizeBytes: 12 }));
  assert.equal(unsatisfiable.headers['content-range'], 'bytes */12');
});

test('bytes body: one chunk, then done; nothing after return', async () => {
  const body = bytesBody(Uint8Array.of(1, 2, 3));
  assert.deepEqual(await body.next(), { done: false, value: Uint8Array.of(1, 2, 3) });
  assert.deepEqual(await body.next(), { done: true, value: undefined });
  const returned = bytesBody(Uint8Array.of(1));
  await returned.return();
  await returned.return();
  assert.equal((await returned.next()).done, true);
  assert.equal((await bytesBody(new Uint8Array(0)).next()).done, true);
});

function codes(): ErrorCode[] {
  return Object.keys(errorTable) as ErrorCode[];
}

async function textOf(body: Body | undefined): Promise<string> {
  assert.ok(body);
  const first = await body.next();
  assert.ok(first.done !== true && first.value instanceof Uint8Array);
  assert.equal((await body.next()).done, true);
  return new TextDecoder().decode(first.value);
}
