import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBoolean, parseCsvLine, parseDurationUs, parseInteger } from './go-values.ts';

const durations: readonly [string, number][] = [
  ['0', 0],
  ['0s', 0],
  ['20ms', 20_000],
  ['1m30s', 90_000_000],
  ['1.5h', 5_400_000_000],
  ['.5s', 500_000],
  ['1.s', 1_000_000],
  ['1h2m3s4ms5us', 3_723_004_005],
  ['7µs', 7],
  ['7μs', 7],
  ['1500ns', 2],
];
for (const [text, us] of durations) {
  test(`duration: ${text} is ${us} us`, () => assert.equal(parseDurationUs(text), us));
}
for (const text of [
  '',
  '20',
  '1m 30s',
  '-1s',
  '+1s',
  '1d',
  'ms',
  '.s',
  '1e3s',
  '1,5s',
  '10000000h',
  '20MS',
  'Infinity',
]) {
  test(`duration: ${JSON.stringify(text)} is none`, () =>
    assert.throws(() => parseDurationUs(text), /give a duration/));
}

test('duration: whole parts add up', () => {
  const part = (unit: string) => fc.nat(999).map((amount) => [amount, unit] as const);
  fc.assert(
    fc.property(fc.tuple(part('h'), part('m'), part('s'), part('ms'), part('us')), (parts) => {
      const units = { h: 3.6e9, m: 6e7, s: 1e6, ms: 1e3, us: 1 } as Record<string, number>;
      const expected = parts.reduce((sum, [amount, unit]) => sum + amount * (units[unit] ?? 0), 0);
      assert.equal(parseDurationUs(parts.map(([amount, unit]) => `${amount}${unit}`).join('')), expected);
    }),
  );
});

test("boolean: Go's spellings and no others", () => {
  assert.deepEqual(['1', 't', 'T', 'TRUE', 'true', 'True'].map(parseBoolean), Array(6).fill(true));
  assert.deepEqual(['0', 'f', 'F', 'FALSE', 'false', 'False'].map(parseBoolean), Array(6).fill(false));
  for (const text of ['', 'yes', 'on', 'tRUE', ' true']) assert.throws(() => parseBoolean(text), /give true or false/);
});

test('integer: digits within bounds', () => {
  assert.equal(parseInteger(1, 10)('10'), 10);
  for (const text of ['', '0', '11', '1.5', '1e1', '-1', '0x5', '9'.repeat(40)]) {
    assert.throws(() => parseInteger(1, 10)(text), /give a whole number from 1 to 10/);
  }
});

test('list: values between commas, quoted ones with commas and quotes in them, empty ones dropped', () => {
  assert.deepEqual(parseCsvLine('a,b'), ['a', 'b']);
  assert.deepEqual(parseCsvLine('"^a{1,2}$",b,"say ""hi"""'), ['^a{1,2}$', 'b', 'say "hi"']);
  assert.deepEqual(parseCsvLine(',a,,'), ['a']);
  for (const text of ['"a', 'a"b', '"a"b']) assert.throws(() => parseCsvLine(text), /in "double quotes"/);
});

test('list: what is written so is read so', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 })), (values) => {
      const line = values.map((value) => `"${value.replaceAll('"', '""')}"`).join(',');
      assert.deepEqual(parseCsvLine(line), values);
    }),
  );
});
