import type { Situation } from './situation.ts';

const megabit = 1_000_000;
const megabyte = 1_000_000;
const usual = {
  zones: ['a', 'a', 'b', 'a'],
  upstreamBitsPerSecond: 400 * megabit,
  nodeBitsPerSecond: 400 * megabit,
} as const;
const times = (count: number, sizeBytes: number): readonly number[] => Array.from({ length: count }, () => sizeBytes);
const together = (...nodes: readonly number[]): Situation['pulls'] => nodes.map((node) => ({ node, afterMs: 0 }));

export const situations: readonly Situation[] = [
  {
    ...usual,
    name: 'nobody has it: one node, 100 MB',
    use: 'fitted',
    layerBytes: [100 * megabyte],
    holders: [],
    pulls: together(0),
  },
  {
    ...usual,
    name: 'one holder: one node, 100 MB',
    use: 'fitted',
    layerBytes: [100 * megabyte],
    holders: [1],
    pulls: together(0),
  },
  {
    ...usual,
    name: 'one holder: 20 layers of 100 KB',
    use: 'fitted',
    layerBytes: times(20, 100_000),
    holders: [1],
    pulls: together(0),
  },
  {
    ...usual,
    name: 'the holder is frozen in mid-blob, a second one goes on',
    use: 'fitted',
    layerBytes: [60 * megabyte],
    holders: [1, 2],
    pulls: together(0),
    fault: { kind: 'freeze', node: 1, afterMs: 600 },
  },
  {
    ...usual,
    name: 'nobody has it: four nodes together, 3 x 20 MB',
    use: 'judged',
    layerBytes: times(3, 20 * megabyte),
    holders: [],
    pulls: together(0, 1, 2, 3),
  },
  {
    ...usual,
    name: 'one holder: three nodes together, 3 x 20 MB',
    use: 'judged',
    layerBytes: times(3, 20 * megabyte),
    holders: [1],
    pulls: together(0, 2, 3),
  },
  {
    ...usual,
    name: 'nobody has it: three nodes, 2 s apart, 4 x 15 MB',
    use: 'judged',
    layerBytes: times(4, 15 * megabyte),
    holders: [],
    pulls: [0, 2, 3].map((node, order) => ({ node, afterMs: 2000 * order })),
  },
  {
    ...usual,
    name: 'the only holder is killed in mid-blob, the upstream goes on',
    use: 'judged',
    upstreamBitsPerSecond: 200 * megabit,
    layerBytes: [60 * megabyte],
    holders: [1],
    pulls: together(0),
    fault: { kind: 'kill', node: 1, afterMs: 500 },
  },
  {
    ...usual,
    name: 'the only holder is unplugged in mid-blob, the upstream goes on',
    use: 'judged',
    layerBytes: [80 * megabyte],
    holders: [1],
    pulls: together(0),
    fault: { kind: 'unplug', node: 1, afterMs: 700 },
  },
];
