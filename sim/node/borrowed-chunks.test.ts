import assert from 'node:assert/strict';
import { test } from 'node:test';
import { poisonBodies, poisonBody } from '../../core/conformance/index.ts';
import type { Poisoned } from '../../core/conformance/index.ts';
import type { Chunk, ContentStore, MirrorPorts } from '../../core/index.ts';
import { SymbolChunk } from '../content/symbols.ts';
import type { Policy } from '../policies/policy.ts';
import { simulate } from '../run/simulate.ts';
import type { SimResult } from '../run/simulate.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { SimMirror } from './sim-mirror.ts';

const megabyte = 1_000_000;
const image = { name: 'docker.io/library/app:1', layerBytes: [30 * megabyte, 3 * megabyte, 1] };
const scenario: Scenario = {
  name: 'borrowed chunks',
  shows: 'that nobody keeps a chunk longer than it is lent',
  cluster: {
    nodes: 5,
    zones: 2,
    upBytesPerSecond: 100 * megabyte,
    downBytesPerSecond: 100 * megabyte,
    latencyUs: 200,
    zoneLatencyUs: 500,
    mirrorBytesPerSecond: 2_000 * megabyte,
  },
  upstream: { bytesPerSecond: 100 * megabyte, latencyUs: 5_000 },
  images: [image],
  workload: Array.from({ length: 5 }, (_, node) => ({
    atUs: node < 2 ? 1_000_000 : 9_000_000,
    node,
    image: image.name,
  })),
  faults: [
    { atUs: 8_000_000, target: 0, what: { kind: 'http', fault: { kind: 'cut', atByte: 5_000_000 } } },
    { atUs: 9_150_000, target: 1, what: { kind: 'pause' }, untilUs: 20_000_000 },
  ],
  untilUs: 600_000_000,
};

function poison(chunk: Chunk): Poisoned {
  if (chunk instanceof SymbolChunk) {
    const loan = { isOver: false };
    return {
      lent: chunk.lend(loan),
      spoil: () => {
        loan.isOver = true;
      },
    };
  }
  const lent = Uint8Array.from(chunk instanceof Uint8Array ? chunk : assert.fail('neither bytes nor symbols'));
  return { lent, spoil: () => void lent.fill(0xdb) };
}

/** Ours, on ports whose chunks are wrong as soon as they are not lent any more. `keep`: a mirror that keeps them all the same. */
function poisoned(keep: (ports: MirrorPorts) => MirrorPorts = (ports) => ports): Policy {
  const wrapPorts = (ports: MirrorPorts): MirrorPorts => {
    const { peers, store: real } = ports;
    const store: ContentStore = {
      kind: real.kind,
      resolve: (...call) => real.resolve(...call),
      info: (...call) => real.info(...call),
      open: async (...call) => poisonBody(await real.open(...call), poison),
      list: (...call) => real.list(...call),
      watch: (listener) => real.watch(listener),
    };
    return keep({ ...ports, store, peers: poisonBodies(peers, poison) });
  };
  return {
    name: 'peili',
    isOurs: true,
    inWorld: (parts) => ({
      createMirror: ({ store, wall, ...place }) =>
        new SimMirror({ ...parts, store, wall }, { ...place, kind: 'peili', wrapPorts }),
      begin: () => {
        parts.directory.acquaint();
      },
    }),
  };
}

/** Gives each chunk one call later than it came. */
function late(ports: MirrorPorts): MirrorPorts {
  const { peers } = ports;
  return {
    ...ports,
    peers: {
      fetch: async (...call) => {
        const { body, ...head } = await peers.fetch(...call);
        if (body === undefined) return head;
        let held: ReturnType<typeof body.next> | undefined;
        const next = async (): ReturnType<typeof body.next> => {
          const step = await (held ?? body.next());
          held = step.done === true ? undefined : body.next();
          await held?.catch(() => undefined);
          return step;
        };
        return { ...head, body: { next, return: () => body.return() } };
      },
    },
  };
}

const outcomesOf = ({ pulls }: SimResult): string[] => pulls.map(({ outcome }) => outcome);

for (const blobVerification of ['suspect', 'always'] as const) {
  test(`borrowed chunks: no mirror keeps one longer than it is lent, through faults too: ${blobVerification}`, async () => {
    const result = await simulate({ ...scenario, mirror: { blobVerification } }, { policy: poisoned() });
    assert.deepEqual(new Set(outcomesOf(result)), new Set(['ok']));
    assert.deepEqual(result.violations, []);
  });
}

test('borrowed chunks: a mirror that keeps one is found out', async () => {
  const result = await simulate(scenario, { policy: poisoned(late) });
  const isSeen = outcomesOf(result).includes('wrong-digest') || result.violations.length > 0;
  assert.ok(isSeen, JSON.stringify(outcomesOf(result)));
});
