import type { Flow, Link } from './flow-network.ts';

/**
 * Max-min fairness by progressive filling: all rates rise together, and stop where a link on their way is full or at their own cap (Bertsekas and Gallager,
 * Data Networks, 6.5.2). Sets each flow's `nextRate`, bytes per second.
 */
export function fairShare(flows: ReadonlySet<Flow>): void {
  const left = new Map<Link, { bytesPerSecond: number; flows: number }>();
  for (const flow of flows) {
    for (const link of flow.path) {
      const room = left.get(link);
      if (room === undefined) left.set(link, { bytesPerSecond: link.bytesPerSecond, flows: 1 });
      else room.flows += 1;
    }
  }
  const open = new Set(flows);
  while (open.size > 0) {
    let level = Infinity;
    for (const { bytesPerSecond, flows: count } of left.values())
      if (count > 0) level = Math.min(level, bytesPerSecond / count);
    for (const { capBytesPerSecond } of open) level = Math.min(level, capBytesPerSecond);
    const full = [...open].filter(
      (flow) => flow.capBytesPerSecond <= level || flow.path.some((link) => isFull(left.get(link), level)),
    );
    for (const flow of full) {
      flow.nextRate = level;
      open.delete(flow);
      for (const link of flow.path) {
        const room = left.get(link);
        if (room === undefined) continue;
        room.bytesPerSecond = Math.max(0, room.bytesPerSecond - level);
        room.flows -= 1;
      }
    }
  }
}

function isFull(room: { bytesPerSecond: number; flows: number } | undefined, level: number): boolean {
  return room !== undefined && room.bytesPerSecond / room.flows <= level * (1 + 1e-12);
}
