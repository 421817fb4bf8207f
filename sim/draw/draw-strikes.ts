import type { Fault, FaultKind } from '../faults/fault.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { HttpFault } from '../network/http-fault.ts';
import type { RecordsFault } from '../node/records-fault.ts';
import type { ImageSpec } from '../scenario/scenario.ts';

const second = 1_000_000;
/** When a scene's first pull begins, and what befalls it. */
export const strikeUs = 20 * second;

/** What is to be struck. */
export interface StruckScene {
  readonly image: ImageSpec;
  /** Nodes from 1 on that hold the image. */
  readonly holders: number;
  readonly nodes: number;
  /** One way. */
  readonly latencyUs: number;
  /** How long the largest layer takes at least. */
  readonly takesUs: number;
  /** When the last pull begins. */
  readonly lastUs: number;
}

type Strike = (random: SimRandom, scene: StruckScene) => FaultKind;

/** What befalls a holder besides its exchanges; the likelier the more often it stands there. */
const holderStrikes: readonly [Strike, ...Strike[]] = [
  () => ({ kind: 'remove-layers' }),
  () => ({ kind: 'remove-layers' }),
  () => ({ kind: 'crash' }),
  () => ({ kind: 'crash' }),
  () => ({ kind: 'crash-empty' }),
  () => ({ kind: 'pause' }),
  () => ({ kind: 'drain' }),
  () => ({ kind: 'rename' }),
  () => ({ kind: 'unplug' }),
  (random, scene) => ({ kind: 'corrupt', atByte: drawByte(random, scene) }),
  (random, scene) => ({ kind: 'read-error', atByte: drawByte(random, scene) }),
  (random, scene) => ({ kind: 'truncate', toBytes: drawByte(random, scene) }),
  () => ({ kind: 'mute-records' }),
  (random) => ({ kind: 'store-events', how: random.pick(['gap', 'lost', 'delay', 'reorder']), delayUs: 2 * second }),
  (random) => ({
    kind: 'records',
    fault: random.pick<RecordsFault>([
      { kind: 'slow', delayUs: 80_000 },
      { kind: 'again', delayUs: 3 * second },
      { kind: 'again', delayUs: strikeUs },
      { kind: 'stale' },
    ]),
  }),
];

/** What befalls the one who pulls. */
const pullerStrikes: readonly [Strike, ...Strike[]] = [
  () => ({ kind: 'wall', offsetUs: -3_600 * second }),
  (random) => ({ kind: 'wall', offsetUs: random.pick([-3_600, 86_400]) * second }),
  () => ({ kind: 'pause' }),
  () => ({ kind: 'crash' }),
  (random, scene) => ({ kind: 'read-error', atByte: drawByte(random, scene) }),
  (random, scene) => ({ kind: 'forget', members: [random.between(1, scene.nodes - 1)] }),
  () => ({ kind: 'remove-layers' }),
];

/** None, one or a few; at one holder, or at all of them alike; the puller and the upstream besides. */
export function drawStrikes(random: SimRandom, scene: StruckScene): readonly Fault[] {
  const count = random.fork('count').pick([0, 1, 1, 1, 2, 2, 3]);
  const strikes = Array.from({ length: count }, (_, index) => {
    const own = random.fork(`strike ${index}`);
    const strike = own.fork('http').chance(2, 5) ? drawHttp : own.fork('kind').pick(holderStrikes);
    const what = strike(own.fork('what'), scene);
    const fromStart = isSlow(what) && own.fork('early').chance(2, 3);
    const when = fromStart
      ? { atUs: 0, untilUs: own.fork('until').pick([8, 18, 60]) * second }
      : drawTimes(own.fork('times'), scene);
    const one = own.pick([1, 1, own.between(1, scene.holders)]);
    const targets = own.chance(1, 4) ? everyNode(scene, isSlow(what)) : [one];
    return targets.map((target): Fault => ({ ...when, target, what }));
  });
  return [
    ...drawUpstream(random.fork('upstream'), scene),
    ...drawEarly(random.fork('early')),
    ...strikes.flat(),
    ...drawPuller(random.fork('puller'), scene),
  ];
}

/** What shows in what is said of a holder later: it has to begin when something is said. */
function isSlow({ kind }: FaultKind): boolean {
  return kind === 'records' || kind === 'store-events' || kind === 'mute-records';
}

/** All holders; of what concerns records all nodes, for any of them may keep them. */
function everyNode({ holders, nodes }: StruckScene, keepers: boolean): readonly number[] {
  return keepers
    ? Array.from({ length: nodes }, (_, node) => node)
    : Array.from({ length: holders }, (_, order) => order + 1);
}

function drawPuller(random: SimRandom, scene: StruckScene): readonly Fault[] {
  if (!random.chance(1, 4)) return [];
  const what = random.pick(pullerStrikes)(random.fork('what'), scene);
  const { atUs, untilUs = atUs + 3 * second } = drawTimes(random.fork('times'), scene);
  // Nobody pulls by a mirror that stands still for good: ending it is the watchdog's.
  return [{ atUs, target: 0, what, untilUs }];
}

/** What peers have is all there is: from before a pull on. */
function drawUpstream(random: SimRandom, { lastUs }: StruckScene): readonly Fault[] {
  if (!random.chance(1, 3)) return [];
  const atUs = random.pick([strikeUs, lastUs]) - 2 * second;
  const fault = random.pick<HttpFault>([{ kind: 'refuse' }, { kind: 'refuse' }, { kind: 'status', status: 503 }]);
  return [{ atUs, target: 'upstream', what: { kind: 'http', fault } }];
}

/** The first holder is out of reach while the others pull: they get theirs from upstream, and what a tag means by then. */
function drawEarly(random: SimRandom): readonly Fault[] {
  if (!random.chance(1, 6)) return [];
  const fault = { kind: 'status', status: 404 } as const;
  return [{ atUs: 5 * second, target: 1, what: { kind: 'http', fault }, untilUs: 15 * second }];
}

/** Before the pull, when its layers are about to be asked for (after a tag, a manifest and a config, which take a dozen trips), and in their middle. */
function drawTimes(random: SimRandom, { latencyUs, takesUs }: StruckScene): Pick<Fault, 'atUs' | 'untilUs'> {
  const at = random.fork('at');
  const layersUs = 10 * latencyUs + at.below(4 * latencyUs);
  const middleUs = layersUs + at.below(1 + takesUs);
  const lateUs = at.pick([-second, -1, layersUs, layersUs, middleUs, middleUs]);
  const lastsUs = random.fork('lasts').pick([undefined, second, 3 * second, 10 * second]);
  const atUs = strikeUs + lateUs;
  return { atUs, ...(lastsUs === undefined ? {} : { untilUs: atUs + lastsUs }) };
}

/** At whose edges something changes: of the layer, and of what is asked for at once. */
function drawByte(random: SimRandom, { image: { layerBytes } }: StruckScene): number {
  const windowBytes = 8 * 1024 * 1024;
  const sizeBytes = layerBytes[random.below(layerBytes.length)] ?? 1;
  const half = Math.min(sizeBytes, windowBytes) >> 1;
  return random.pick([0, 1, half, windowBytes - 1, windowBytes, sizeBytes - 1, sizeBytes - 1, random.below(sizeBytes)]);
}

/** An exchange goes wrong, most often in mid-body. */
function drawHttp(random: SimRandom, scene: StruckScene): FaultKind {
  const atByte = random.fork('end').chance(1, 3)
    ? random.fork('last').pick([-1, 0])
    : drawByte(random.fork('byte'), scene);
  const fault = random
    .fork('kind')
    .pick<HttpFault>([
      { kind: 'reset', atByte },
      { kind: 'reset', atByte },
      { kind: 'cut', atByte },
      { kind: 'cut', atByte },
      { kind: 'stall', atByte },
      { kind: 'stall', atByte },
      { kind: 'trickle', bytesPerSecond: random.fork('rate').pick([1_000, 10_000, 40_000]) },
      { kind: 'refuse' },
      { kind: 'silent-head' },
      { kind: 'silent-head' },
      { kind: 'slow-head', delayUs: random.fork('delay').pick([160_000, 600_000]) },
      { kind: 'status', status: random.fork('status').pick([404, 429, 500, 503, 503]) },
      { kind: 'ignore-range' },
      { kind: 'shift-range', bytes: 1 },
      { kind: 'other-size', bytes: 1 },
      { kind: 'flip', atByte },
    ]);
  const every = random.fork('every').pick([undefined, undefined, undefined, 2]);
  return { kind: 'http', fault, ...(every === undefined ? {} : { every }) };
}
