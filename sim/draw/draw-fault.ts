import type { Fault, FaultKind, FaultOf } from '../faults/fault.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { HttpFault } from '../network/http-fault.ts';
import type { NamesFault } from '../node/name-service.ts';
import type { RecordsFault } from '../node/records-fault.ts';

const second = 1_000_000;
const megabyte = 1_000_000;
const window = 8 * 1024 * 1024;

/** What can be drawn of each kind that has kinds of its own, and at which nodes there are. */
export interface DrawKinds {
  readonly nodes: number;
  readonly isOn: (kind: string) => boolean;
}

type Draw = (random: SimRandom, kinds: DrawKinds) => FaultKind;

/** Each kind of fault with how its arguments are drawn. A new one goes to the end: each has its own chance, and none changes another's. */
export const faultDraws: Readonly<Record<FaultKind['kind'], Draw>> = {
  crash: () => ({ kind: 'crash' }),
  'crash-empty': () => ({ kind: 'crash-empty' }),
  rename: () => ({ kind: 'rename' }),
  drain: () => ({ kind: 'drain' }),
  pause: () => ({ kind: 'pause' }),
  'slow-cpu': (random) => ({ kind: 'slow-cpu', times: random.pick([2, 10, 50]) }),
  'pause-node': () => ({ kind: 'pause-node' }),
  vanish: () => ({ kind: 'vanish' }),
  absent: () => ({ kind: 'absent' }),
  unplug: () => ({ kind: 'unplug' }),
  rate: (random) => ({ kind: 'rate', bytesPerSecond: random.pick([10_000, 100_000, megabyte]) }),
  latency: (random) => ({ kind: 'latency', addedUs: random.pick([1_000, 20_000, 60_000]) }),
  cut: (random, { nodes }) => {
    const way = random.pick<'both' | 'in' | 'out'>(['both', 'in', 'out']);
    const others = { with: someNodes(random, nodes) };
    return way === 'both' ? { kind: 'cut', ...others } : { kind: 'cut', ...others, way };
  },
  http: (random, { isOn, nodes }) => {
    const [first = 'refuse', ...more] = Object.keys(httpDraws).filter(isHttpKind).filter(isOn);
    const fault = httpDraws[random.pick([first, ...more])](random);
    const isOne = random.chance(1, 3);
    const from = random.below(nodes);
    const every = random.pick([1, 1, 2, 3]);
    return { kind: 'http', fault, ...(isOne ? { from } : {}), ...(every === 1 ? {} : { every }) };
  },
  corrupt: (random) => ({ kind: 'corrupt', atByte: random.below(3 * window) }),
  'remove-layers': () => ({ kind: 'remove-layers' }),
  'mute-records': () => ({ kind: 'mute-records' }),
  records: (random, { isOn }) => {
    const [first, ...more] = recordsDraws.filter(({ kind }) => isOn(`records ${kind}`));
    const every = random.pick([1, 2, 3]);
    const fault = random.pick<RecordsFault>([first ?? { kind: 'refused' }, ...more]);
    return every === 1 ? { kind: 'records', fault } : { kind: 'records', fault, every };
  },
  names: (random) => ({ kind: 'names', fault: random.pick(namesDraws) }),
  forget: (random, { nodes }) => ({ kind: 'forget', members: someNodes(random, nodes) }),
  island: (random, { nodes }) => ({ kind: 'island', with: someNodes(random, nodes) }),
  wall: (random) => ({ kind: 'wall', offsetUs: random.pick([-3_600, -1, 1, 86_400]) * second }),
  'read-error': (random) => ({ kind: 'read-error', atByte: random.below(3 * window) }),
  truncate: (random) => ({ kind: 'truncate', toBytes: random.below(3 * window) }),
  'slow-disk': (random) => ({ kind: 'slow-disk', bytesPerSecond: random.pick([100_000, megabyte, 10 * megabyte]) }),
  'store-events': (random) => {
    const how = random.pick<FaultOf<'store-events'>['how']>(['gap', 'duplicate', 'lost', 'delay', 'reorder']);
    return { kind: 'store-events', how, delayUs: random.pick([100_000, 2 * second]) };
  },
  drift: (random) => ({ kind: 'drift', usPerSecond: random.pick([-500, 500, 100_000]) }),
};

const edges = [0, 1, 4_096, megabyte, window - 1, window, window + 1] as const;

const httpDraws: Readonly<Record<HttpFault['kind'], (random: SimRandom) => HttpFault>> = {
  refuse: () => ({ kind: 'refuse' }),
  'black-hole': () => ({ kind: 'black-hole' }),
  'silent-head': () => ({ kind: 'silent-head' }),
  'slow-head': (random) => ({ kind: 'slow-head', delayUs: random.pick([10_000, 160_000, 700_000]) }),
  reset: (random) => ({ kind: 'reset', atByte: random.pick(edges) }),
  stall: (random) => ({ kind: 'stall', atByte: random.pick(edges) }),
  flip: (random) => ({ kind: 'flip', atByte: random.pick(edges) }),
  trickle: (random) => ({ kind: 'trickle', bytesPerSecond: random.pick([100, 10_000, 200_000]) }),
  status: (random) => ({ kind: 'status', status: random.pick([404, 429, 500, 503]) }),
  'hang-up': () => ({ kind: 'hang-up' }),
  garbage: () => ({ kind: 'garbage' }),
  cut: (random) => ({ kind: 'cut', atByte: random.pick(edges) }),
  'short-length': (random) => ({ kind: 'short-length', bytes: random.pick([1, 4_096]) }),
  'long-length': (random) => ({ kind: 'long-length', bytes: random.pick([1, 4_096]) }),
  surplus: () => ({ kind: 'surplus' }),
  'ignore-range': () => ({ kind: 'ignore-range' }),
  'shift-range': (random) => ({ kind: 'shift-range', bytes: random.pick([1, 4_096]) }),
  'other-size': (random) => ({ kind: 'other-size', bytes: random.pick([1, 4_096]) }),
  'other-digest': () => ({ kind: 'other-digest' }),
};

const recordsDraws: readonly RecordsFault[] = [
  { kind: 'lost' },
  { kind: 'refused' },
  { kind: 'quota' },
  { kind: 'slow', delayUs: 15_000 },
  { kind: 'slow', delayUs: 80_000 },
  { kind: 'again', delayUs: 30_000 },
  { kind: 'again', delayUs: 3 * second },
  { kind: 'stale' },
  { kind: 'empty' },
  { kind: 'self' },
  { kind: 'hostile' },
];

const namesDraws: readonly [NamesFault, ...NamesFault[]] = [
  { kind: 'fail' },
  { kind: 'lag', lagUs: 30 * second },
  { kind: 'truncate', entriesMax: 1 },
];

/** What can be on or off in a run as a whole. */
export const swarmKinds: readonly string[] = [
  ...Object.keys(faultDraws),
  ...Object.keys(httpDraws),
  ...new Set(recordsDraws.map(({ kind }) => `records ${kind}`)),
];

export function drawFault(random: SimRandom, kind: FaultKind['kind'], chaosUs: number, kinds: DrawKinds): Fault {
  const atUs = kind === 'absent' ? 0 : random.between(0, chaosUs);
  const lastsUs = random.pick([100_000, second, 5 * second, chaosUs]);
  const target = random.below(kinds.nodes);
  const what = faultDraws[kind](random, kinds);
  return { atUs, target, what, untilUs: Math.min(chaosUs + second, atUs + lastsUs) };
}

export function isFaultKind(kind: string): kind is FaultKind['kind'] {
  return Object.hasOwn(faultDraws, kind);
}

function isHttpKind(kind: string): kind is HttpFault['kind'] {
  return Object.hasOwn(httpDraws, kind);
}

/** At least one. */
function someNodes(random: SimRandom, nodes: number): readonly number[] {
  const all = Array.from({ length: nodes }, (_, index) => index);
  const some = all.filter(() => random.chance(1, 2));
  return some.length === 0 ? [random.below(nodes)] : some;
}
