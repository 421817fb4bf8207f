import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { probes } from './catalogue.ts';
import { missingIn, ProbeTally } from './probe-counts.ts';

/** Names that the core tells its probe, as this catalogue has them. */
function namesInCore(): readonly string[] {
  const root = fileURLToPath(new URL('../../core/', import.meta.url));
  const files = globSync('**/*.ts', { cwd: root }).filter(
    (path) => !/\.test\.ts$|^(?:testing|conformance)\//.test(path),
  );
  return files.flatMap((path) => {
    const text = readFileSync(`${root}${path}`, 'utf8');
    return [...text.matchAll(/probe\.(sometimes|reach|buggify)\(\s*'([^']+)'/g)].map(([, call, name]) =>
      call === 'buggify' ? `buggify: ${name}` : `${name}`,
    );
  });
}

test('probes: every one that the core tells of is declared, and every one that is declared is told', () => {
  const told = namesInCore();
  const declared = Object.entries(probes).filter(([, { isIn }]) => isIn === undefined);
  assert.deepEqual(told.toSorted(), declared.map(([name]) => name).toSorted());
});

test('probes: a campaign is not silent about a sometimes that it never saw, nor about an unreachable that it saw', () => {
  const tally = new ProbeTally();
  const all = Object.keys(probes).filter((name) => probes[name]?.kind === 'sometimes');
  tally.add(all);
  assert.deepEqual(missingIn(tally.report()), []);
  const other = new ProbeTally();
  other.add([...all.filter((name) => name !== 'a stall'), 'a request is not answered as promised', 'a stranger']);
  assert.deepEqual(
    missingIn(other.report()).map(({ name }) => name),
    ['a stall', 'a request is not answered as promised', 'a stranger'],
  );
});
