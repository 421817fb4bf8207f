import type { SimRandom } from '../../kernel/random.ts';
import type { Host } from '../../network/host.ts';
import type { Link } from '../../network/link.ts';

/** Of a thousand pieces of work so many take no longer than this, microseconds: fitted to rows Q, S (a miss is two of them: 0.9 ms, one in a hundred 5 to 8), L and V. */
const steps: readonly (readonly [number, number])[] = [
  [0, 250],
  [600, 450],
  [900, 900],
  [970, 1_800],
  [990, 4_000],
  [995, 9_000],
  [1_000, 45_000],
];

/** What a request or a lookup takes of a program, beside what the network takes. A processor that bodies keep busy is shared with them. */
export function drawWorkUs(random: SimRandom, { mirrorCpu }: Host): number {
  const at = random.below(1_000);
  const upper = steps.findIndex(([share]) => share > at);
  const [from, low] = steps[upper - 1] ?? [0, 0];
  const [to, high] = steps[upper] ?? [1_000, low];
  const workUs = low + Math.floor(((high - low) * (at - from)) / (to - from));
  return Math.ceil(workUs * (1 + bodyWeight * bodiesThatWait(mirrorCpu)));
}

/** A body takes its turn for a chunk, a request a few: fitted to row V. */
const bodyWeight = 5;

/** All of them on a full processor, none on one that is at most half busy. */
function bodiesThatWait({ bytesPerSecond, flows }: Link): number {
  const used = flows.reduce((sum, { rate }) => sum + rate, 0) / bytesPerSecond;
  return flows.length * Math.min(1, Math.max(0, 2 * used - 1));
}
