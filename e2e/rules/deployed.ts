import { basename } from 'node:path/posix';
import { parse } from 'yaml';
import type { Finding, Rule, SourceFile } from './source.ts';

const alertsPath = 'deploy/chart/monitoring/alerts.yaml';
const valuesPath = 'deploy/chart/values.yaml';
const schemaPath = 'deploy/chart/values.schema.json';

/** Who is called at night has a page: each alert its own, and no page without an alert. */
export const alertsHaveRunbooks: Rule = (files) => {
  const alerts = textOf(files, alertsPath);
  if (alerts === undefined) return [];
  const pages = new Map(
    files.filter(({ path }) => /^docs\/runbooks\/[a-z-]+\.md$/.test(path)).map((file) => [basename(file.path), file]),
  );
  const named = [...alerts.matchAll(/- alert: (\w+)[^]*?runbook_url: RUNBOOKS\/(\S+)/g)].map(
    ([, alert = '', page = '']) => ({ alert, page }),
  );
  const count = alerts.match(/- alert:/g)?.length ?? 0;
  const findings = named.flatMap(({ alert, page }): Finding[] => {
    const heading = pages.get(page)?.text.split('\n', 1)[0];
    pages.delete(page);
    if (heading === `# ${alert}`) return [];
    return [
      finding(
        alertsPath,
        heading === undefined ? `docs/runbooks/${page} is missing` : `docs/runbooks/${page} is not about ${alert}`,
      ),
    ];
  });
  if (named.length < count) findings.push(finding(alertsPath, 'an alert without runbook_url, or two with one page'));
  return [...findings, ...[...pages.values()].map(({ path }) => finding(path, 'no alert names this page'))];
};

/** Alerts and the dashboard ask for metrics that there are. */
export const monitoredMetricsExist: Rule = (files) => {
  const reference = textOf(files, 'docs/reference/metrics.md') ?? '';
  const known = new Set([...reference.matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name));
  return files
    .filter(({ path }) => path.startsWith('deploy/chart/monitoring/'))
    .flatMap(({ path, text }) =>
      [...new Set(text.match(/\b(?:peili|spegel)_[a-z_]+/g))]
        .filter((name) => !known.has(name) && !known.has(name.replace(/_(?:bucket|sum|count)$/, '')))
        .map((name) => finding(path, `there is no metric ${name}`)),
    );
};

/** Each value of the chart has its type and bounds, the schema describes no other, and templates read what there is. */
export const valuesDescribed: Rule = (files) => {
  const [values, schema] = [textOf(files, valuesPath), textOf(files, schemaPath)];
  if (values === undefined) return [];
  if (schema === undefined) return [finding(schemaPath, 'the chart has values and no schema')];
  const given = keysOf(parse(values));
  const described = keysOfSchema(JSON.parse(schema));
  // Helm puts it there.
  described.delete('global');
  // Objects whose fields are Kubernetes' own, as labels.
  const open = [...described].filter((key) => ![...described].some((each) => each.startsWith(`${key}.`)));
  const isInside = (key: string): boolean => open.some((each) => key.startsWith(`${each}.`));
  return [
    ...[...given]
      .filter((key) => !described.has(key) && !isInside(key))
      .map((key) => finding(schemaPath, `${key} of values.yaml is not described`)),
    ...[...described]
      .filter((key) => !given.has(key))
      .map((key) => finding(schemaPath, `${key} is not in values.yaml`)),
    ...templatesOf(files).flatMap(({ path, text }) =>
      [...new Set([...text.matchAll(/(?<=\.Values\.)[\w.]+/g)].map(([key]) => key))]
        .filter((key) => !given.has(key) && !isInside(key))
        .map((key) => finding(path, `reads ${key}, which is no value`)),
    ),
  ];
};

/** The chart installs the program of this tree. */
export const chartHasTheVersion: Rule = (files) => {
  const [chart, manifest] = [textOf(files, 'deploy/chart/Chart.yaml'), textOf(files, 'package.json')];
  if (chart === undefined || manifest === undefined) return [];
  const { version } = JSON.parse(manifest) as { readonly version: string };
  const told = parse(chart) as { readonly version: string; readonly appVersion: string };
  return told.version === version && told.appVersion === version
    ? []
    : [finding('deploy/chart/Chart.yaml', `version and appVersion are those of package.json: ${version}`)];
};

function templatesOf(files: readonly SourceFile[]): readonly SourceFile[] {
  return files.filter(({ path }) => path.startsWith('deploy/chart/templates/'));
}

function textOf(files: readonly SourceFile[], path: string): string | undefined {
  return files.find((file) => file.path === path)?.text;
}

function finding(path: string, message: string): Finding {
  return { path, line: 1, message };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `peili.mode` and all that lead there. */
function keysOf(value: unknown, prefix = ''): Set<string> {
  if (!isRecord(value)) return new Set();
  return new Set(
    Object.entries(value).flatMap(([key, inner]) => [`${prefix}${key}`, ...keysOf(inner, `${prefix}${key}.`)]),
  );
}

function keysOfSchema(schema: unknown, prefix = ''): Set<string> {
  const properties = isRecord(schema) ? schema['properties'] : undefined;
  if (!isRecord(properties)) return new Set();
  return new Set(
    Object.entries(properties).flatMap(([key, inner]) => [
      `${prefix}${key}`,
      ...keysOfSchema(inner, `${prefix}${key}.`),
    ]),
  );
}
