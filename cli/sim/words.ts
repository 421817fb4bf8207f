/** Simulated time as a person says it: `3 ms`, `1.24 s`, `2 min 5 s`, `3 h 10 min`. */
export function sayTime(us: number): string {
  if (us === 0) return '0 s';
  if (us < 1_000) return `${Math.round(us)} us`;
  if (us < 1_000_000) return `${Math.round(us / 1_000)} ms`;
  if (us < 60_000_000) return `${(us / 1_000_000).toFixed(us % 1_000_000 === 0 ? 0 : us < 10_000_000 ? 2 : 1)} s`;
  const minutes = Math.floor(us / 60_000_000);
  if (minutes < 60) return together(`${minutes} min`, Math.floor((us % 60_000_000) / 1_000_000), 's');
  return together(`${Math.floor(minutes / 60)} h`, minutes % 60, 'min');
}

function together(large: string, small: number, unit: string): string {
  return small === 0 ? large : `${large} ${small} ${unit}`;
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** As scenarios write sizes: `500 MB`. */
export function saySize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  return `${value.toFixed(digits).replace(/\.0+$/, '')} ${units[unit] ?? ''}`;
}

export function sayRate(bytesPerSecond: number): string {
  return `${saySize(bytesPerSecond)}/s`;
}

export function sayShare(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (part / whole) * 100;
  return percent > 99 && part < whole ? '99 %' : `${Math.round(percent)} %`;
}

/** `1 pull`, `1,200 pulls`. */
export function many(amount: number, what: string): string {
  return `${amount.toLocaleString('en')} ${what}${amount === 1 ? '' : 's'}`;
}
