import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCodeOf } from '../errors.ts';
import { testBlob } from '../testing/blob.ts';
import { acceptHead } from './continues.ts';

const { digest } = testBlob(100);
const other = testBlob(100, 2).digest;

/** What is wanted: [start, end) of content whose size is known or not. */
interface Row {
  readonly what: string;
  readonly window: readonly [number, number];
  readonly size?: number;
  /** Where the source failed before. */
  readonly failedAt?: number;
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly gives: readonly [number, number, number] | 'past end' | 'PEER_REFUSED' | 'OVERLOADED' | 'CONTENT_ABSENT';
}

const cr = (text: string, more: Record<string, string> = {}): Record<string, string> => ({
  'content-range': text,
  ...more,
});
const rows: readonly Row[] = [
  {
    what: 'an exact 206',
    window: [10, 20],
    size: 100,
    status: 206,
    headers: cr('bytes 10-19/100'),
    gives: [10, 20, 100],
  },
  {
    what: 'an exact 206 of a size not known',
    window: [10, 20],
    status: 206,
    headers: cr('bytes 10-19/100'),
    gives: [10, 20, 100],
  },
  {
    what: 'a 206 up to the end',
    window: [90, 120],
    status: 206,
    headers: cr('bytes 90-99/100'),
    gives: [90, 100, 100],
  },
  {
    what: 'its digest',
    window: [10, 20],
    status: 206,
    headers: cr('bytes 10-19/100', { 'docker-content-digest': digest }),
    gives: [10, 20, 100],
  },
  {
    what: 'its length',
    window: [10, 20],
    status: 206,
    headers: cr('bytes 10-19/100', { 'content-length': '10' }),
    gives: [10, 20, 100],
  },
  { what: 'another start', window: [10, 20], status: 206, headers: cr('bytes 9-19/100'), gives: 'PEER_REFUSED' },
  { what: 'a later start', window: [10, 20], status: 206, headers: cr('bytes 11-19/100'), gives: 'PEER_REFUSED' },
  { what: 'a shorter end', window: [10, 20], status: 206, headers: cr('bytes 10-18/100'), gives: 'PEER_REFUSED' },
  { what: 'a longer end', window: [10, 20], status: 206, headers: cr('bytes 10-20/100'), gives: 'PEER_REFUSED' },
  {
    what: 'another size',
    window: [10, 20],
    size: 99,
    status: 206,
    headers: cr('bytes 10-19/100'),
    gives: 'PEER_REFUSED',
  },
  { what: 'no size', window: [10, 20], status: 206, headers: cr('bytes 10-19/*'), gives: 'PEER_REFUSED' },
  { what: 'no Content-Range', window: [10, 20], status: 206, headers: {}, gives: 'PEER_REFUSED' },
  {
    what: 'another digest',
    window: [10, 20],
    status: 206,
    headers: cr('bytes 10-19/100', { 'docker-content-digest': other }),
    gives: 'PEER_REFUSED',
  },
  {
    what: 'another length',
    window: [10, 20],
    status: 206,
    headers: cr('bytes 10-19/100', { 'content-length': '11' }),
    gives: 'PEER_REFUSED',
  },
  {
    what: 'the whole at the start',
    window: [0, 20],
    status: 200,
    headers: { 'content-length': '100' },
    gives: [0, 100, 100],
  },
  {
    what: 'the whole from a source that failed in it',
    window: [0, 20],
    failedAt: 20,
    status: 200,
    headers: { 'content-length': '100' },
    gives: [0, 20, 100],
  },
  {
    what: 'the whole from a source that failed later',
    window: [0, 20],
    failedAt: 70,
    status: 200,
    headers: { 'content-length': '100' },
    gives: [0, 70, 100],
  },
  {
    what: 'the whole of another size',
    window: [0, 20],
    size: 99,
    status: 200,
    headers: { 'content-length': '100' },
    gives: 'PEER_REFUSED',
  },
  { what: 'the whole without length', window: [0, 20], status: 200, headers: {}, gives: 'PEER_REFUSED' },
  {
    what: 'the whole with an odd length',
    window: [0, 20],
    status: 200,
    headers: { 'content-length': '1e2' },
    gives: 'PEER_REFUSED',
  },
  {
    what: 'the whole for a later part',
    window: [1, 20],
    status: 200,
    headers: { 'content-length': '100' },
    gives: 'PEER_REFUSED',
  },
  { what: 'past the end', window: [100, 120], status: 416, headers: cr('bytes */100'), gives: 'past end' },
  {
    what: 'past the end of a known size',
    window: [100, 120],
    size: 100,
    status: 416,
    headers: cr('bytes */100'),
    gives: 'past end',
  },
  { what: '416 inside', window: [99, 120], status: 416, headers: cr('bytes */100'), gives: 'PEER_REFUSED' },
  {
    what: '416 of another size',
    window: [99, 120],
    size: 100,
    status: 416,
    headers: cr('bytes */50'),
    gives: 'PEER_REFUSED',
  },
  { what: '416 without size', window: [100, 120], status: 416, headers: {}, gives: 'PEER_REFUSED' },
  { what: 'absent', window: [0, 20], status: 404, headers: {}, gives: 'CONTENT_ABSENT' },
  { what: 'busy', window: [0, 20], status: 503, headers: {}, gives: 'OVERLOADED' },
  { what: 'too many', window: [0, 20], status: 429, headers: {}, gives: 'OVERLOADED' },
  ...[100, 201, 204, 301, 304, 400, 401, 403, 500, 502].map((status): Row => ({
    what: `status ${status}`,
    window: [0, 20],
    status,
    headers: cr('bytes 0-19/100', { 'content-length': '20' }),
    gives: 'PEER_REFUSED',
  })),
];

for (const {
  failedAt,
  gives,
  headers,
  size,
  status,
  what,
  window: [start, end],
} of rows) {
  test(`continues: ${what}: ${String(gives)}`, () => {
    const decide = () => acceptHead({ status, headers }, { digest, window: { start, end }, sizeBytes: size, failedAt });
    if (gives === 'past end') assert.deepEqual(decide(), { pastEnd: true, sizeBytes: 100 });
    else if (typeof gives === 'string') assert.throws(decide, (error) => errorCodeOf(error) === gives);
    else assert.deepEqual(decide(), { start: gives[0], end: gives[1], sizeBytes: gives[2], contentType: undefined });
  });
}
