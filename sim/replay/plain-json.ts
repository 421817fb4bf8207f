/** JSON that keeps infinite numbers: rates without a bound are such. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value, (_name, field: unknown) => {
    if (typeof field !== 'number' || Number.isFinite(field)) return field;
    if (field === Infinity) return { [infinityName]: 1 };
    throw new RangeError(`${field} is no value of a scenario`);
  });
}

export function decodeJson(text: string): unknown {
  const value: unknown = JSON.parse(text, (_name, field: unknown) =>
    typeof field === 'object' && field !== null && infinityName in field ? Infinity : field,
  );
  return value;
}

const infinityName = 'infinity';
