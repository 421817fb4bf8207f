import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertsHaveRunbooks, chartHasTheVersion, monitoredMetricsExist, valuesDescribed } from './deployed.ts';
import { findingsOver } from './planted.ts';

const alert = (name: string, page: string): string =>
  `- alert: ${name}\n  annotations:\n    runbook_url: RUNBOOKS/${page}\n`;

test('deployed: each alert has its own page, and each page its alert', () => {
  const alerts = 'deploy/chart/monitoring/alerts.yaml';
  const well = {
    [alerts]: alert('Slow', 'slow.md'),
    'docs/runbooks/slow.md': '# Slow\n',
    'docs/runbooks/README.md': '',
  };
  assert.deepEqual(findingsOver(alertsHaveRunbooks, well), []);
  const planted = {
    ...well,
    [alerts]: alert('Slow', 'slow.md') + alert('Gone', 'gone.md') + alert('Other', 'other.md') + '- alert: Bare\n',
    'docs/runbooks/other.md': '# Slow\n',
    'docs/runbooks/old.md': '# Old\n',
  };
  assert.deepEqual(findingsOver(alertsHaveRunbooks, planted), [
    `${alerts}:1 docs/runbooks/gone.md is missing`,
    `${alerts}:1 docs/runbooks/other.md is not about Other`,
    `${alerts}:1 an alert without runbook_url, or two with one page`,
    'docs/runbooks/old.md:1 no alert names this page',
  ]);
});

test('deployed: what is monitored exists', () => {
  const files = {
    'docs/reference/metrics.md': '| `peili_ready` | gauge |\n| `peili_took_seconds` | histogram |\n',
    'deploy/chart/monitoring/dashboard.json': 'peili_ready peili_took_seconds_bucket peili_redy',
  };
  const path = 'deploy/chart/monitoring/dashboard.json';
  assert.deepEqual(findingsOver(monitoredMetricsExist, files), [`${path}:1 there is no metric peili_redy`]);
});

test('deployed: values, schema and templates know the same names', () => {
  const schema = {
    properties: { peili: { properties: { mode: {}, gone: {} } }, labels: { type: 'object' }, global: {} },
  };
  const files = {
    'deploy/chart/values.yaml': 'peili:\n  mode: "on"\n  new: 1\nlabels:\n  a: b\n',
    'deploy/chart/values.schema.json': JSON.stringify(schema),
    'deploy/chart/templates/a.yaml': '{{ .Values.peili.mode }} {{ .Values.labels.any }} {{ .Values.peili.mod }}',
  };
  assert.deepEqual(findingsOver(valuesDescribed, files), [
    'deploy/chart/values.schema.json:1 peili.new of values.yaml is not described',
    'deploy/chart/values.schema.json:1 peili.gone is not in values.yaml',
    'deploy/chart/templates/a.yaml:1 reads peili.mod, which is no value',
  ]);
});

test('deployed: the chart has the version of the package', () => {
  const files = {
    'package.json': '{"version":"1.1.0"}',
    'deploy/chart/Chart.yaml': 'version: 1.1.0\nappVersion: 1.0.0\n',
  };
  assert.equal(findingsOver(chartHasTheVersion, files).length, 1);
});
