import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMet } from './measurement.ts';
import type { Line } from './measurement.ts';
import { parseArguments } from './options.ts';
import { formatNumber, formatTable } from './report.ts';
import { summarize } from './statistics.ts';

const line: Line = {
  row: 'O',
  what: 'relay',
  unit: 'GB/s',
  subjects: [
    { name: 'nginx', summary: summarize([2, 4]) },
    { name: 'ours', summary: summarize([1, 3]) },
  ],
  ratio: { against: 'nginx', summary: summarize([0.5, 0.75]) },
  mark: { of: 'ratio', atLeast: 0.6 },
  notes: ['said once'],
};

test('report: a mark of a ratio is judged on its median, not on ours', () => {
  assert.equal(isMet(line), true);
  assert.equal(isMet({ ...line, ratio: { against: 'nginx', summary: summarize([0.5, 0.69]) } }), false);
  assert.equal(isMet({ ...line, mark: { of: 'ours', atMost: 1.9 } }), false);
});

test('report: what was not measured is neither met nor missed', () => {
  const { ratio: _, ...unmeasured } = line;
  assert.equal(isMet(unmeasured), undefined);
  assert.match(formatTable([{ ...line, subjects: [] }]), /not measured/);
});

test('report: ours stands in its own column, and a note is said once', () => {
  const table = formatTable([line, line]);
  assert.match(
    table,
    /\| 2 \(1-3\) GB\/s +\| nginx 3 \(2-4\) GB\/s +\| 0\.625 \(0\.5-0\.75\) of nginx \| >= 0\.6 \| yes/,
  );
  assert.equal(table.split('said once').length, 2);
});

test('report: numbers keep the digits that mean something', () => {
  assert.deepEqual([0, 0.0512, 0.5612, 12.34, 89_769.4].map(formatNumber), ['0', '0.051', '0.561', '12.3', '89,769']);
});

test('options: what is wrong is named, with what would be right', () => {
  assert.throws(() => parseArguments(['--rows', 'O,X']), /--rows X: the rows are C, D/);
  assert.throws(() => parseArguments(['--rounds', '0']), /--rounds 0: give a number/);
  assert.throws(() => parseArguments(['--patience', '0']), /--patience 0: give seconds/);
  assert.throws(() => parseArguments(['--peer', 'ours=x']), /another name than ours/);
  assert.deepEqual([...parseArguments(['--rows', 'S, O']).rows], ['S', 'O']);
});
