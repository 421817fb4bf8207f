import type { Arbitrary } from 'fast-check';
import type { Fault, FaultKind } from '../faults/fault.ts';
import type { HttpFault } from '../network/http-fault.ts';
import type { RecordsFault } from '../node/records-fault.ts';
import type { FastCheckModule } from './arbitraries.ts';

/** A fault in a cluster of so many nodes. */
export type FaultIn = (nodes: number) => Fault;

const second = 1_000_000;
const megabyte = 1_000_000;
const window = 8 * 1024 * 1024;

/** One that ends by itself. Simpler kinds come first: what is left after shrinking is as simple as it may be. */
export function faultArbitrary(fc: FastCheckModule, chaosUs: number): Arbitrary<FaultIn> {
  return fc
    .record({
      target: fc.nat(1_000),
      atMs: fc.nat(chaosUs / 1_000),
      lastsMs: fc.constantFrom(1_000, 100, 5_000, 30_000),
      what: fc.oneof({ withCrossShrink: true }, plainKinds(fc), argumentKinds(fc), httpKinds(fc), recordsKinds(fc)),
    })
    .map(({ atMs, lastsMs, target, what }) => (nodes) => {
      const atUs = atMs * 1_000;
      const untilUs = Math.min(chaosUs + second, atUs + lastsMs * 1_000);
      return { atUs, target: target % nodes, what: within(what, nodes), untilUs };
    });
}

function plainKinds(fc: FastCheckModule): Arbitrary<FaultKind> {
  return fc
    .constantFrom(
      'crash',
      'crash-empty',
      'pause',
      'drain',
      'unplug',
      'remove-layers',
      'mute-records',
      'rename',
      'pause-node',
      'vanish',
    )
    .map((kind): FaultKind => ({ kind }));
}

function argumentKinds(fc: FastCheckModule): Arbitrary<FaultKind> {
  const others = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 3 });
  return fc.oneof(
    fc.constantFrom(megabyte, 100_000).map((bytesPerSecond): FaultKind => ({ kind: 'rate', bytesPerSecond })),
    fc.constantFrom(2, 50).map((times): FaultKind => ({ kind: 'slow-cpu', times })),
    fc.constantFrom(1_000, 60_000).map((addedUs): FaultKind => ({ kind: 'latency', addedUs })),
    others.map((nodes): FaultKind => ({ kind: 'cut', with: nodes })),
    others.map((members): FaultKind => ({ kind: 'forget', members })),
    others.map((nodes): FaultKind => ({ kind: 'island', with: nodes })),
    fc.nat(3 * window).map((atByte): FaultKind => ({ kind: 'corrupt', atByte })),
    fc.constantFrom(-3_600, 1, 86_400).map((seconds): FaultKind => ({ kind: 'wall', offsetUs: seconds * second })),
  );
}

function httpKinds(fc: FastCheckModule): Arbitrary<FaultKind> {
  const atByte = fc.constantFrom(0, 1, 4_096, megabyte, window - 1, window);
  const fault: Arbitrary<HttpFault> = fc.oneof(
    fc
      .constantFrom('refuse', 'black-hole', 'silent-head', 'ignore-range', 'other-digest')
      .map((kind): HttpFault => ({ kind })),
    fc.record({ kind: fc.constantFrom('reset', 'stall', 'flip', 'cut'), atByte }),
    fc.constantFrom(503, 404, 429, 500).map((status): HttpFault => ({ kind: 'status', status })),
    fc.constantFrom(200_000, 100).map((bytesPerSecond): HttpFault => ({ kind: 'trickle', bytesPerSecond })),
    fc.record({ kind: fc.constantFrom('shift-range', 'other-size'), bytes: fc.constantFrom(1, 4_096) }),
  );
  return fc
    .record({ fault, every: fc.constantFrom(1, 2, 3) })
    .map(({ every, fault: own }): FaultKind => ({ kind: 'http', fault: own, ...(every === 1 ? {} : { every }) }));
}

function recordsKinds(fc: FastCheckModule): Arbitrary<FaultKind> {
  const fault: Arbitrary<RecordsFault> = fc.oneof(
    fc
      .constantFrom('lost', 'refused', 'quota', 'stale', 'empty', 'self', 'hostile')
      .map((kind): RecordsFault => ({ kind })),
    fc.record({ kind: fc.constantFrom('slow', 'again'), delayUs: fc.constantFrom(15_000, 3 * second) }),
  );
  return fault.map((own): FaultKind => ({ kind: 'records', fault: own }));
}

/** Nodes that are named by it are nodes that there are. */
function within(what: FaultKind, nodes: number): FaultKind {
  const some = (indexes: readonly number[]): readonly number[] => [...new Set(indexes.map((index) => index % nodes))];
  switch (what.kind) {
    case 'cut':
      return { ...what, with: some(what.with) };
    case 'island':
      return { ...what, with: some(what.with) };
    case 'forget':
      return { ...what, members: some(what.members) };
    default:
      return what;
  }
}
