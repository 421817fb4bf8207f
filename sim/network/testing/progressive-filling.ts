/** What can be shared: a link by what it carries, a flow by its way and its own limit. */
export interface Shared<L extends { readonly bytesPerSecond: number }> {
  readonly path: readonly L[];
  readonly limit: number;
}

/** Max-min fairness as it is defined: all rates rise together, and stop where a link on their way is full or at their own limit. Bytes per second. */
export function progressiveFilling<L extends { readonly bytesPerSecond: number }, F extends Shared<L>>(
  flows: Iterable<F>,
): Map<F, number> {
  const rates = new Map<F, number>();
  const open = new Set(flows);
  const left = new Map<L, { bytesPerSecond: number; flows: number }>();
  for (const { path } of open) {
    for (const link of path) {
      const room = left.get(link) ?? { bytesPerSecond: link.bytesPerSecond, flows: 0 };
      left.set(link, { ...room, flows: room.flows + 1 });
    }
  }
  while (open.size > 0) {
    let level = Infinity;
    for (const { bytesPerSecond, flows: count } of left.values())
      if (count > 0) level = Math.min(level, bytesPerSecond / count);
    for (const { limit } of open) level = Math.min(level, limit);
    const isFull = (link: L): boolean => {
      const room = left.get(link);
      return room !== undefined && room.bytesPerSecond / room.flows <= level * (1 + 1e-12);
    };
    for (const flow of [...open].filter(({ limit, path }) => limit <= level || path.some(isFull))) {
      rates.set(flow, level);
      open.delete(flow);
      for (const link of flow.path) {
        const room = left.get(link);
        if (room === undefined) continue;
        room.bytesPerSecond = Math.max(0, room.bytesPerSecond - level);
        room.flows -= 1;
      }
    }
  }
  return rates;
}
