export const workersMax = 256;
export const nodesMax = 100_000;
export const seedsMax = 10_000;
export const seedMax = 4_294_967_295;

export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
