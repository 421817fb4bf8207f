import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMetrics } from './prometheus-text.ts';

const page = `# HELP peili_bytes_total Bytes of bodies.
# TYPE peili_bytes_total counter
peili_bytes_total{source="peer",asker="client"} 100
peili_bytes_total{source="local",asker="client"} 20
peili_bytes_total{source="local",asker="mirror"} 3
peili_members 2
odd{text="a \\"quoted\\", comma"} 1e3
never{} NaN
`;

test('metrics: a name is the sum of its samples, those with the labels given', () => {
  const metrics = parseMetrics(page);
  assert.equal(metrics.value('peili_bytes_total'), 123);
  assert.equal(metrics.value('peili_bytes_total', { source: 'local' }), 23);
  assert.equal(metrics.value('peili_bytes_total', { source: 'local', asker: 'mirror' }), 3);
  assert.equal(metrics.value('peili_members'), 2);
  assert.equal(metrics.value('odd', { text: String.raw`a \"quoted\", comma` }), 1000);
});

test('metrics: what is not there is undefined, and not 0', () => {
  const metrics = parseMetrics(page);
  assert.equal(metrics.value('peili_member'), undefined);
  assert.equal(metrics.value('peili_bytes_total', { source: 'upstream' }), undefined);
});
