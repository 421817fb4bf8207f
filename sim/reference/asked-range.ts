/**
 * What a Range field means for content of this size, as RFC 9110 has it and contract L5 wants it answered: to a client `bytes=0-` is the whole, to a mirror a part
 * as any other. Knows nothing of the product's own reckoning.
 */
export type AskedRange = 'whole' | 'unsatisfiable' | { readonly start: number; readonly end: number };

export function askedRange(
  field: string | undefined,
  sizeBytes: number,
  { isMirrored = false }: { readonly isMirrored?: boolean } = {},
): AskedRange {
  const [, first = '', last = ''] = /^bytes=([0-9]*)-([0-9]*)$/.exec(field ?? '') ?? [];
  if (first === '' && last === '') return 'whole';
  if (first === '') return suffixOf(Number(last), sizeBytes);
  const start = Number(first);
  if (last === '' && start === 0 && !isMirrored) return 'whole';
  if (last !== '' && Number(last) < start) return 'whole';
  if (start >= sizeBytes) return 'unsatisfiable';
  return { start, end: last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1) };
}

function suffixOf(length: number, sizeBytes: number): AskedRange {
  if (length === 0) return 'unsatisfiable';
  if (sizeBytes === 0) return 'whole';
  return { start: Math.max(0, sizeBytes - length), end: sizeBytes };
}
