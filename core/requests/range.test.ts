import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatContentRange, formatRange, parseContentRange, parseRange, resolveRange } from './range.ts';

const client = { mirrored: false };
const mirror = { mirrored: true };

/**
 * The reference: the bytes that a valid range selects, by asking every byte; RFC 9110, 14.1.2 in the slowest possible words. A suffix range has no
 * `first`, its length is `last`.
 */
function selectedBytes(size: number, first: number | undefined, last: number | undefined): Set<number> {
  const selected = new Set<number>();
  for (let at = 0; at < size; at += 1) {
    const inside = first === undefined ? at >= size - (last ?? 0) : at >= first && (last === undefined || at <= last);
    if (inside) selected.add(at);
  }
  return selected;
}

function bytesOf(start: number, end: number): Set<number> {
  return new Set(Array.from({ length: end - start }, (_, index) => start + index));
}

test('range: selects exactly the bytes of RFC 9110, for all sizes and ranges in a small grid', () => {
  for (let size = 0; size <= 8; size += 1) {
    for (const asker of [client, mirror]) {
      for (let first = 0; first <= 10; first += 1) {
        for (const last of [undefined, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
          const resolved = resolveRange(parseRange(`bytes=${first}-${last ?? ''}`), size, asker);
          const label = `bytes=${first}-${last ?? ''} of ${size}`;
          if (last !== undefined && last < first)
            assert.deepEqual(resolved, { type: 'whole' }, `${label}: invalid, so ignored`);
          else if (first === 0 && last === undefined && asker === client)
            assert.deepEqual(resolved, { type: 'whole' }, label);
          else checkAgainstModel(resolved, selectedBytes(size, first, last), label);
        }
      }
      for (let length = 0; length <= 10; length += 1) {
        const resolved = resolveRange(parseRange(`bytes=-${length}`), size, asker);
        const label = `bytes=-${length} of ${size}`;
        if (size === 0 && length > 0) assert.deepEqual(resolved, { type: 'whole' }, label);
        else checkAgainstModel(resolved, selectedBytes(size, undefined, length), label);
      }
    }
  }
});

function checkAgainstModel(resolved: ReturnType<typeof resolveRange>, expected: Set<number>, label: string): void {
  if (expected.size === 0) {
    assert.equal(resolved.type, 'unsatisfiable', label);
    return;
  }
  assert.ok(resolved.type === 'part', `${label}: ${resolved.type}`);
  assert.deepEqual(bytesOf(resolved.start, resolved.end), expected, label);
}

test('range: the whole blob as bytes=0- is 200 to a client and 206 between mirrors; bytes=0-<last> is 206 to both', () => {
  assert.deepEqual(resolveRange(parseRange('bytes=0-'), 10, client), { type: 'whole' });
  assert.deepEqual(resolveRange(parseRange('bytes=0-'), 10, mirror), { type: 'part', start: 0, end: 10 });
  for (const asker of [client, mirror]) {
    assert.deepEqual(resolveRange(parseRange('bytes=0-9'), 10, asker), { type: 'part', start: 0, end: 10 });
    assert.deepEqual(resolveRange(parseRange('bytes=1-'), 10, asker), { type: 'part', start: 1, end: 10 });
  }
  assert.deepEqual(resolveRange(parseRange('bytes=0-'), 0, client), { type: 'whole' });
  assert.deepEqual(resolveRange(parseRange('bytes=0-'), 0, mirror), { type: 'unsatisfiable' });
});

test('range: absent, malformed, several and other units are ignored', () => {
  const ignored = [
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=1',
    'bytes=a-',
    'bytes=1-a',
    'bytes=--1',
    'bytes=-1-',
    'bytes=1-2-3',
    'bytes=+1-2',
    'bytes=1.0-2',
    'bytes=0x1-2',
    'bytes=1 -2',
    'bytes= 1-2',
    'bytes =1-2',
    'bytes:1-2',
    'bytes=0-1,3-4',
    'bytes=0-1, bytes=3-4',
    'bytes=0-,',
    'items=0-1',
    'bytes=2-1',
    'bytes=1-2\n',
    'bytes=1-2\0',
    'bytes=9007199254740993-9007199254740992',
    'bytes=\u0661-',
  ];
  for (const header of [undefined, ...ignored])
    assert.deepEqual(parseRange(header), { type: 'none' }, JSON.stringify(header));
});

test('range: the unit is case-insensitive, the value may be surrounded by white space, zeros may lead', () => {
  assert.deepEqual(parseRange('BYTES=1-2'), { type: 'from', first: 1, last: 2 });
  assert.deepEqual(parseRange(' \tbytes=1-2 '), { type: 'from', first: 1, last: 2 });
  assert.deepEqual(parseRange('bytes=0009-0010'), { type: 'from', first: 9, last: 10 });
});

test('range: numbers beyond 2^53 mean what they would without the limit', () => {
  const huge = '9'.repeat(400);
  assert.deepEqual(resolveRange(parseRange(`bytes=${huge}-`), 10, client), { type: 'unsatisfiable' });
  assert.deepEqual(resolveRange(parseRange(`bytes=3-${huge}`), 10, client), { type: 'part', start: 3, end: 10 });
  assert.deepEqual(resolveRange(parseRange(`bytes=-${huge}`), 10, client), { type: 'part', start: 0, end: 10 });
  const largest = Number.MAX_SAFE_INTEGER;
  assert.deepEqual(resolveRange(parseRange(`bytes=${huge}-`), largest, client), { type: 'unsatisfiable' });
  assert.deepEqual(resolveRange(parseRange(`bytes=0-${huge}`), largest, client), {
    type: 'part',
    start: 0,
    end: largest,
  });
});

const size = fc.oneof(
  fc.integer({ min: 1, max: 64 }),
  fc.maxSafeNat().map((n) => Math.max(1, n)),
);

test('range: what is written for a part is read as that part, whatever its size', () => {
  fc.assert(
    fc.property(size, fc.maxSafeNat(), fc.maxSafeNat(), (sizeBytes, a, b) => {
      const start = a % sizeBytes;
      const end = start + 1 + (b % (sizeBytes - start));
      assert.deepEqual(resolveRange(parseRange(formatRange(start, end)), sizeBytes, mirror), {
        type: 'part',
        start,
        end,
      });
      assert.deepEqual(resolveRange(parseRange(formatRange(start)), sizeBytes, mirror), {
        type: 'part',
        start,
        end: sizeBytes,
      });
      const part = { type: 'part', start, end, sizeBytes } as const;
      assert.deepEqual(parseContentRange(formatContentRange(part)), part);
    }),
  );
});

test('range: a resolved part is never empty and never reaches beyond the content', () => {
  const header = fc.oneof(
    fc
      .tuple(fc.bigInt({ min: 0n }), fc.option(fc.bigInt({ min: 0n })))
      .map(([first, last]) => `bytes=${first}-${last ?? ''}`),
    fc.bigInt({ min: 0n }).map((length) => `bytes=-${length}`),
    fc.string().map((text) => `bytes=${text}`),
    fc.string(),
  );
  fc.assert(
    fc.property(header, fc.maxSafeNat(), fc.boolean(), (text, sizeBytes, mirrored) => {
      const resolved = resolveRange(parseRange(text), sizeBytes, { mirrored });
      if (resolved.type === 'part')
        assert.ok(0 <= resolved.start && resolved.start < resolved.end && resolved.end <= sizeBytes);
    }),
  );
});

function digits(minLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.integer({ min: 0, max: 9 }).map(String), minLength, maxLength: 400, size: 'max' });
}

test('range: a parsed number is always a safe integer, however many digits it had', () => {
  fc.assert(
    fc.property(digits(1), digits(0), (first, last) => {
      for (const spec of [parseRange(`bytes=${first}-${last}`), parseRange(`bytes=-${first}`)]) {
        const numbers = Object.values(spec).filter((value) => typeof value === 'number');
        assert.ok(numbers.every((value) => Number.isSafeInteger(value)));
      }
    }),
  );
});

test('range: neighbouring ranges cover the content without gap and without overlap', () => {
  fc.assert(
    fc.property(size, fc.maxSafeNat(), (sizeBytes, cut) => {
      const at = 1 + (cut % sizeBytes);
      if (at === sizeBytes) return;
      const head = resolveRange(parseRange(formatRange(0, at)), sizeBytes, mirror);
      const tail = resolveRange(parseRange(formatRange(at)), sizeBytes, mirror);
      assert.ok(head.type === 'part' && tail.type === 'part');
      assert.deepEqual([head.start, head.end, tail.end], [0, tail.start, sizeBytes]);
    }),
  );
});

test('content range: only an exact one is believed', () => {
  assert.deepEqual(parseContentRange('bytes 0-9/10'), { type: 'part', start: 0, end: 10, sizeBytes: 10 });
  assert.deepEqual(parseContentRange('bytes */10'), { type: 'unsatisfied', sizeBytes: 10 });
  assert.deepEqual(parseContentRange('bytes */0'), { type: 'unsatisfied', sizeBytes: 0 });
  const refused = [
    undefined,
    '',
    'bytes',
    'bytes 0-9',
    'bytes 0-9/*',
    'bytes 0-10/10',
    'bytes 5-4/10',
    'bytes 0-/10',
    'bytes -9/10',
    'bytes=0-9/10',
    'items 0-9/10',
    'bytes 0-9/10, bytes 0-9/10',
    'bytes  0-9/10',
    'bytes 0-9/10 ',
    'bytes 0-9/99999999999999999999',
    'bytes */99999999999999999999',
    'bytes 0-0/0',
  ];
  for (const text of refused) assert.equal(parseContentRange(text), undefined, String(text));
});

test('range: a range of no bytes cannot be written', () => {
  assert.throws(() => formatRange(5, 5), /assertion/);
  assert.throws(() => formatRange(-1, 5), /assertion/);
  assert.throws(() => formatContentRange({ type: 'part', start: 3, end: 2, sizeBytes: 9 }), /assertion/);
});
