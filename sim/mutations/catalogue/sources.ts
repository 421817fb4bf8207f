import type { Mutation } from '../mutation.ts';
import {
  bothHolders,
  image,
  layerBytes,
  megabyte,
  nearAndFar,
  oneHolder,
  pullUs,
  scene,
  second,
  upstreamGone,
} from './scenes.ts';

const race = 'core/relay/race.ts';

/** What goes wrong when sources are chosen, remembered and given up. */
export const sources: readonly Mutation[] = [
  {
    name: 'M17',
    wrong: 'each race for a window renews the attempts that are left: heads alone do',
    patches: [
      {
        file: 'core/relay/blob-segments.ts',
        anchor: 'if (offset > this.#attemptsOffset)',
        replacement: 'if (offset >= this.#attemptsOffset)',
      },
    ],
    caughtBy: ['attemptsAreBounded'],
    hunt: {
      scenario: scene(
        [
          ...bothHolders({ atUs: pullUs + 100_000, what: { kind: 'http', fault: { kind: 'status', status: 503 } } }),
          { atUs: pullUs + 100_000, target: 2, what: { kind: 'mute-records' } },
        ],
        { limits: { attemptsMax: 4, lookupTimeoutUs: 100_000 } },
      ),
      seeds: [1, 2, 3],
    },
  },
  {
    name: 'spegel-G',
    wrong: 'a holder that is dead takes the second one, which is well, along: nobody else is asked',
    seen: 'Spegel v0.7.4, row G: 5 of 10 layers from upstream all the same',
    patches: [
      {
        file: race,
        anchor: `    case 'failed':
      return { ...state, running: state.running - 1 };`,
        replacement: `    case 'failed':
      return { ...state, running: state.running - 1, budget: 0 };`,
      },
    ],
    caughtBy: ['peersSuffice'],
    hunt: {
      scenario: scene([
        upstreamGone,
        ...oneHolder({ atUs: pullUs - 1, what: { kind: 'http', fault: { kind: 'refuse' } } }),
      ]),
      seeds: [1, 2, 3, 4],
    },
  },
  {
    name: 'spegel-L',
    wrong: 'a holder that is being asked for a head is not to be had for others: parallel requests are answered 404',
    seen: 'Spegel v0.7.4, row L: 0 to 21 % of parallel requests',
    patches: [
      {
        file: 'core/relay/ask.ts',
        anchor: 'const response = await deps.peers.fetch(source.member, request, scope.signal);',
        replacement: `const taken = (deps.standing.taken ??= new Set());
    if (taken.has(source.id)) throw new PeiliError('OVERLOADED', 'it is being asked');
    taken.add(source.id);
    const response = await deps.peers.fetch(source.member, request, scope.signal).finally(() => taken.delete(source.id));`,
      },
    ],
    caughtBy: ['peersSuffice'],
    hunt: {
      scenario: scene([upstreamGone], {
        holders: 1,
        images: [{ name: image, layerBytes: [megabyte, megabyte, megabyte] }],
      }),
      seeds: [1],
    },
  },
  {
    name: 'containerd-12811',
    wrong: 'a source that trickles is kept for ever: each byte is progress, however late the last one comes',
    seen: 'containerd 12811: one part that starves cancels the pull; Spegel, row I',
    patches: [
      {
        file: 'core/relay/stall.ts',
        anchor: 'rate < limits.minimumRateBytesPerSecond ? rate : undefined',
        replacement: 'rate < 0 ? rate : undefined',
      },
    ],
    caughtBy: ['pullsEnd'],
    hunt: {
      scenario: scene(
        oneHolder({ atUs: pullUs - 1, what: { kind: 'http', fault: { kind: 'trickle', bytesPerSecond: 10_000 } } }),
      ),
      seeds: [1, 2, 3, 4],
    },
  },
  {
    name: 'P11',
    wrong: 'the only holder is read on however slowly its bytes come, and the upstream, which is well, is never asked',
    patches: [
      {
        file: 'core/relay/blob-segments.ts',
        anchor: 'bytesPerSecond < limits.crawlRateBytesPerSecond',
        replacement: 'bytesPerSecond < 0',
      },
    ],
    caughtBy: ['pullsEnd'],
    hunt: {
      scenario: scene(
        oneHolder({ atUs: pullUs - 1, what: { kind: 'http', fault: { kind: 'trickle', bytesPerSecond: 1_000 } } }),
        { holders: 1 },
      ),
      seeds: [1],
    },
  },
  {
    name: 'P19',
    wrong: 'two holders that crawl are left for each other, again and again: each is an alternative to the other',
    patches: [
      {
        file: 'core/relay/blob-segments.ts',
        anchor: '!standing.isDemoted(source.id) && !isSlow(source)',
        replacement: '!standing.isDemoted(source.id)',
      },
    ],
    caughtBy: ['pullsEnd'],
    hunt: {
      scenario: scene(
        bothHolders({ atUs: pullUs - 1, what: { kind: 'http', fault: { kind: 'trickle', bytesPerSecond: 1_000 } } }),
      ),
      seeds: [1],
    },
  },
  {
    name: 'containerd-12126',
    wrong:
      'a body that is cut keeps its slot: after as many of them as there are slots, the node gives nothing to anybody',
    seen: 'containerd 12126: failed pulls leave a semaphore taken, and all later ones wait',
    patches: [
      {
        file: 'core/handlers/limit-uploads.ts',
        anchor: `onFailure: release }, () => {
    release();`,
        replacement: `onFailure: release }, () => {`,
      },
    ],
    caughtBy: ['freeSlotsAreGiven'],
    hunt: {
      scenario: scene([upstreamGone], {
        holders: 1,
        limits: { uploadsMax: 2 },
        asks: [1, 2].map((order) => ({ atUs: pullUs - order * second, node: 0, image, what: 0, bytesMax: 1 })),
      }),
      seeds: [1],
    },
  },
  {
    name: 'P1',
    wrong: 'a failure is remembered for ever: who failed once is never asked for that blob again',
    patches: [
      {
        file: 'core/relay/failure-memory.ts',
        anchor: 'if (failure.untilUs > clock.nowUs()) return failure.offset;',
        replacement: 'if (failure.untilUs > 0) return failure.offset;',
      },
    ],
    caughtBy: ['peersSuffice'],
    hunt: {
      scenario: scene(
        [
          { ...upstreamGone, atUs: 100 * second },
          ...oneHolder({
            atUs: pullUs - second,
            untilUs: pullUs + second,
            what: { kind: 'http', fault: { kind: 'reset', atByte: 0 } },
          }),
        ],
        {
          holders: 1,
          asks: [{ atUs: pullUs, node: 0, image, what: 0 }],
          workload: [
            { atUs: second, node: 1, image },
            { atUs: 150 * second, node: 0, image },
          ],
        },
      ),
      seeds: [1],
    },
  },
  {
    name: 'P2',
    wrong: 'an answer that is refused is not let go of: its connection stands, and its slot is taken, for ever',
    patches: [
      {
        file: 'core/relay/ask.ts',
        anchor: `      await response.body?.return();
      throw error;`,
        replacement: '      throw error;',
      },
    ],
    caughtBy: ['nothingIsLeft'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, what: { kind: 'http', fault: { kind: 'shift-range', bytes: 1 } } })),
      seeds: [1, 2, 3, 4],
    },
  },
  {
    name: 'P3',
    wrong: 'a suspect that says nothing is taken for a liar: it may only have lost the content since',
    patches: [
      {
        file: 'core/relay/prove.ts',
        anchor: `said === 'wrong' ? 'wrong' : 'none'`,
        replacement: `said === 'unknown' ? 'none' : 'wrong'`,
      },
    ],
    caughtBy: ['nobodyIsSlandered'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, what: { kind: 'remove-layers' } }), {
        holders: 1,
        asks: [pullUs - 5 * second, pullUs + 1_000].map((atUs) => ({ atUs, node: 0, image, what: 0 })),
        workload: [
          { atUs: second, node: 1, image },
          { atUs: pullUs + second, node: 0, image },
        ],
      }),
      seeds: [1],
    },
  },
  {
    name: 'P4',
    wrong: 'of several sources of a wrong body the first is named as the liar',
    patches: [
      {
        file: 'core/handlers/verify.ts',
        anchor: 'if (sources.size !== 1 || only === undefined) return;',
        replacement: 'if (only === undefined) return;',
      },
    ],
    caughtBy: ['nobodyIsSlandered'],
    hunt: {
      scenario: scene(
        [
          { atUs: pullUs - second, target: 2, what: { kind: 'corrupt', atByte: layerBytes - 1 } },
          { atUs: pullUs + 250_000, target: 1, what: { kind: 'crash' } },
        ],
        {
          mirror: { blobVerification: 'always' },
          cluster: nearAndFar,
        },
      ),
      seeds: [1],
    },
  },
  {
    name: 'P5',
    wrong: 'the time that a client takes for its bytes counts as time that the source took',
    patches: [
      {
        file: 'core/relay/stall.ts',
        anchor: 'const whole = { waitingSinceUs: undefined, waitedUs',
        replacement: 'const whole = { waitingSinceUs: nowUs, waitedUs',
      },
    ],
    caughtBy: ['slowReadersBlameNobody'],
    hunt: {
      scenario: scene([], {
        asks: [{ atUs: pullUs, node: 0, image, what: 0, bytesPerSecond: megabyte }],
        workload: [
          { atUs: second, node: 1, image },
          { atUs: pullUs + 60 * second, node: 0, image },
        ],
      }),
      seeds: [1],
    },
  },
];
