import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { rules } from './all.ts';
import { sizes, softBounds } from './sizes.ts';
import { formatFindings, readTree } from './source.ts';

const files = readTree(join(import.meta.dirname, '../..'));

for (const [sentence, rule] of Object.entries(rules)) {
  test(`repository: ${sentence}`, () => {
    const findings = rule(files);
    assert.ok(findings.length === 0, `\n${formatFindings(findings)}`);
  });
}

test('repository: what grows long is said, not forbidden', (t) => {
  const findings = sizes(softBounds)(files);
  if (findings.length > 0) t.diagnostic(`getting long:\n${formatFindings(findings)}`);
});
