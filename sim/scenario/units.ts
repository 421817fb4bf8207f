/** Quantities as people write them. Each gives undefined for what is none. */

const durationUnitsUs: Readonly<Record<string, number>> = {
  us: 1,
  µs: 1,
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  min: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
};

/** `200us`, `10ms`, `1m30s`, `10 min`, `0`: integer microseconds. */
export function parseDurationUs(value: string | number): number | undefined {
  if (value === 0 || value === '0') return 0;
  if (typeof value === 'number') return undefined;
  const text = value.trim();
  const part = /(\d+(?:\.\d+)?) ?(us|µs|ms|min|s|m|h|d)(?![a-zµ])/g;
  let end = 0;
  let sumUs = 0;
  for (const match of text.matchAll(part)) {
    if (text.slice(end, match.index).trim() !== '') return undefined;
    sumUs += Number(match[1]) * (durationUnitsUs[match[2] ?? ''] ?? 0);
    end = match.index + match[0].length;
  }
  return end === 0 || end < text.length ? undefined : whole(sumUs);
}

const byteUnits: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};
/** Bits are written with a small b, and nobody means a tenth of a byte by `Mb`. */
const bitUnits: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9, tbit: 1e12 };

/** `50MB`, `2 GiB`, `0`, or a number of bytes. */
export function parseSizeBytes(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMGTkmgt]?i?B)?$/.exec(value.trim()) ?? [];
  if (amount === '') return undefined;
  return whole(Number(amount) * (byteUnits[(unit === '' ? 'B' : unit).toLowerCase()] ?? Number.NaN));
}

/** `1Gbit/s`, `125 MB/s`, `10 GiB/s`: bytes a second. */
export function parseRateBytesPerSecond(value: string | number): number | undefined {
  if (typeof value === 'number') return undefined;
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMGTkmgt]?(?:i?B|bit))\/s$/.exec(value.trim()) ?? [];
  const bits = bitUnits[unit.toLowerCase()];
  const bytes = bits === undefined ? byteUnits[unit.toLowerCase()] : bits / 8;
  const rate = bytes === undefined ? undefined : whole(Number(amount) * bytes);
  return rate === 0 ? undefined : rate;
}

/** The same with a minus before it, too. */
export function parseSigned(
  parse: (value: string | number) => number | undefined,
): (value: string | number) => number | undefined {
  return (value) => {
    const text = typeof value === 'number' ? value : value.trim();
    const isBelow = typeof text === 'number' ? text < 0 : text.startsWith('-');
    if (!isBelow) return parse(text);
    const parsed = parse(typeof text === 'number' ? -text : text.slice(1));
    return parsed === undefined ? undefined : -parsed;
  };
}

/** `10%`: 10. */
export function parsePercent(value: string): number | undefined {
  const [, amount = ''] = /^(\d+(?:\.\d+)?)\s*%$/.exec(value.trim()) ?? [];
  const percent = Number(amount);
  return amount === '' || percent > 100 ? undefined : percent;
}

function whole(value: number): number | undefined {
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}
