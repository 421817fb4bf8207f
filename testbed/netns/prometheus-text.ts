/** The samples of a metrics page (Prometheus text format 0.0.4). */
export interface MetricSamples {
  /** The sum over all samples of this name whose labels are as given; undefined: there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

export function parseMetrics(text: string): MetricSamples {
  const samples = text.split('\n').flatMap((line) => parseLine(line) ?? []);
  return {
    value: (name, labels = {}) => {
      const fitting = samples.filter(
        (sample) =>
          sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels.get(label) === value),
      );
      return fitting.length === 0 ? undefined : fitting.reduce((sum, { value }) => sum + value, 0);
    },
  };
}

function parseLine(line: string): Sample | undefined {
  const { name, labels = '', value } = /^(?<name>[\w:]+)(?:\{(?<labels>.*)\})? (?<value>\S+)/.exec(line)?.groups ?? {};
  if (name === undefined) return undefined;
  const pairs = labels.matchAll(/(?<label>\w+)="(?<text>(?:[^"\\]|\\.)*)"/g);
  return {
    name,
    labels: new Map([...pairs].map(({ groups }) => [groups?.['label'] ?? '', groups?.['text'] ?? ''])),
    value: Number(value),
  };
}
