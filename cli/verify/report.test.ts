import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import type { Check } from './check.ts';
import { isWell, renderJson, renderReport } from './report.ts';

const checks: readonly Check[] = [
  {
    name: 'containerd',
    status: 'ok',
    seen: 'containerd 2.1.9',
    lines: ['a line of a table that stays whole, however long it may be in the end'],
  },
  {
    name: 'hosts',
    status: 'wrong',
    seen: 'no hosts.toml names this mirror',
    mend: 'run peili configuration with the same directory',
  },
  { name: 'ready', status: 'unknown', seen: 'it could not be asked', mend: 'ask again' },
  { name: 'image', status: 'skipped', seen: 'no image was named' },
];

test('report: a symbol and a sentence for each check, what to do below it, and what is wrong in the end', () => {
  assert.equal(
    renderReport(checks, { width: 50, colours: false }),
    [
      '✔ containerd   containerd 2.1.9',
      '               a line of a table that stays whole, however long it may be in the end',
      '✘ hosts        no hosts.toml names this mirror',
      '               -> run peili configuration with the',
      '                  same directory',
      '? ready        it could not be asked',
      '               -> ask again',
      '– image        no image was named',
      '',
      'Wrong: hosts; 1 check is well, 1 could not be seen.',
      '',
    ].join('\n'),
  );
});

test('report: colours change nothing but colours', () => {
  const plain = renderReport(checks, { width: 80, colours: false });
  const coloured = renderReport(checks, { width: 80, colours: true });
  assert.notEqual(coloured, plain);
  assert.equal(stripVTControlCharacters(coloured), plain);
});

test('report: as JSON it is one object on one line, and only what is wrong makes it not ok', () => {
  assert.deepEqual(JSON.parse(renderJson(checks)), { ok: false, checks });
  assert.equal(renderJson(checks).indexOf('\n'), renderJson(checks).length - 1);
  assert.equal(isWell(checks.filter(({ status }) => status !== 'wrong')), true);
});
