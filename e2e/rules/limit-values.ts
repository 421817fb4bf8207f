/** A limit as its page writes it: `2000000` of `stallTimeoutUs` is `2 s`. The unit stands at the end of the name. */
export function formatLimit(name: string, value: number): string {
  if (name.endsWith('BytesPerSecond')) return `${largest(value, bytes)}/s`;
  if (name.endsWith('Us')) return largest(value, microseconds);
  if (name.endsWith('Bytes')) return largest(value, bytes);
  return value.toString().replace(/\B(?=(?:\d{3})+$)/g, ',');
}

type Unit = readonly [name: string, size: number];

const bytes: readonly Unit[] = [
  ['MiB', 1024 * 1024],
  ['KiB', 1024],
  ['B', 1],
];
const microseconds: readonly Unit[] = [
  ['min', 60_000_000],
  ['s', 1_000_000],
  ['ms', 1_000],
  ['us', 1],
];

/** In the largest unit that divides the value. */
function largest(value: number, units: readonly Unit[]): string {
  const [name, size] = units.find(([, unit]) => value % unit === 0) ?? ['', 1];
  return `${value / size} ${name}`;
}
