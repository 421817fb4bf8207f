/** Quantities as people write them: the largest unit in which they are whole. What is read from the text is what was written, to the microsecond and the byte. */

const durationUnits = [
  [3_600_000_000, 'h'],
  [60_000_000, 'min'],
  [1_000_000, 's'],
  [1_000, 'ms'],
  [1, 'us'],
] as const;

export function writeDuration(us: number): string {
  if (us < 0) return `-${writeDuration(-us)}`;
  if (us === 0) return '0';
  // 90 s are not 1.5 min.
  const [size, unit] = durationUnits.find(([each]) => us % each === 0) ?? [1, 'us'];
  return `${us / size}${unit}`;
}

const sizeUnits = [
  [1e12, 'TB'],
  [2 ** 30, 'GiB'],
  [1e9, 'GB'],
  [2 ** 20, 'MiB'],
  [1e6, 'MB'],
  [2 ** 10, 'KiB'],
  [1e3, 'kB'],
] as const;

export function writeSize(bytes: number): string | number {
  const found = bytes === 0 ? undefined : sizeUnits.find(([each]) => bytes % each === 0);
  return found === undefined ? bytes : `${bytes / found[0]}${found[1]}`;
}

const bitUnits = [
  [125_000_000, 'Gbit/s'],
  [125_000, 'Mbit/s'],
] as const;

export function writeRate(bytesPerSecond: number): string {
  if (bytesPerSecond === Infinity) return 'unlimited';
  const inBits = bitUnits.find(([each]) => bytesPerSecond % each === 0);
  if (inBits !== undefined) return `${bytesPerSecond / inBits[0]}${inBits[1]}`;
  const size = writeSize(bytesPerSecond);
  return typeof size === 'number' ? `${size}B/s` : `${size}/s`;
}

/** Layers that are the same size, one after the other, as one. */
export function writeLayers(layerBytes: readonly number[]): readonly (string | number)[] {
  const runs: { readonly bytes: number; times: number }[] = [];
  for (const bytes of layerBytes) {
    const last = runs.at(-1);
    if (last?.bytes === bytes) last.times += 1;
    else runs.push({ bytes, times: 1 });
  }
  return runs.map(({ bytes, times }) => (times === 1 ? writeSize(bytes) : `${times} x ${writeSize(bytes)}`));
}
