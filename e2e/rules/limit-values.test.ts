import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultLimits } from '../../core/index.ts';
import { formatLimit } from './limit-values.ts';

test('limits: values are written in the largest unit that divides them', () => {
  assert.equal(formatLimit('stallTimeoutUs', 2_000_000), '2 s');
  assert.equal(formatLimit('recordTtlUs', 1_200_000_000), '20 min');
  assert.equal(formatLimit('hedgeDelayUs', 1_500), '1500 us');
  assert.equal(formatLimit('windowBytes', 8 * 1024 * 1024), '8 MiB');
  assert.equal(formatLimit('minimumRateBytesPerSecond', 64 * 1024), '64 KiB/s');
  assert.equal(formatLimit('recordsMax', 500_000), '500,000');
});

test('limits: docs/reference/limits.md has the values that the code has', () => {
  const page = join(import.meta.dirname, '../../docs/reference/limits.md');
  assert.ok(existsSync(page), 'docs/reference/limits.md is missing');
  const rows = new Map(
    Array.from(readFileSync(page, 'utf8').matchAll(/^\| `(\w+)` *\| ([^|]+?) *\|/gm), ([, name, value]) => [
      name,
      value,
    ]),
  );
  for (const [name, value] of Object.entries(defaultLimits)) {
    assert.equal(rows.get(name), formatLimit(name, value), `${name} in docs/reference/limits.md`);
  }
});
