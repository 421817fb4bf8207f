import type { Mutation } from '../mutation.ts';
import { image, layerBytes, midPullUs, oneHolder, pullUs, scene, second, upstreamGone } from './scenes.ts';

const range = 'core/requests/range.ts';
const stacks = 'core/handlers/stacks.ts';

/** What goes wrong between a request and the head of its answer. */
export const answers: readonly Mutation[] = [
  {
    name: 'M1',
    wrong:
      'the last bytes of a blob are asked of a peer from its first byte on: a suffix range has no start of its own',
    patches: [
      {
        file: 'core/relay/blob.ts',
        anchor: 'start: Math.max(0, (sizeBytes ?? 0) - spec.length)',
        replacement: 'start: 0',
      },
    ],
    caughtBy: ['bytesAreTheContents'],
    hunt: {
      scenario: scene([], { asks: [{ atUs: pullUs, node: 0, image, what: 0, range: 'bytes=-100' }] }),
      seeds: [1],
    },
  },
  {
    name: 'M6',
    wrong: 'the size that a peer says is not compared with the one that the manifest gave',
    patches: [
      {
        file: 'core/relay/continues.ts',
        anchor: 'if (wanted.sizeBytes !== undefined && sizeBytes !== wanted.sizeBytes)',
        replacement: 'if (sizeBytes < 0)',
      },
    ],
    caughtBy: ['rangesAreExact'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, what: { kind: 'http', fault: { kind: 'other-size', bytes: 1 } } }), {
        holders: 1,
      }),
      seeds: [1],
    },
  },
  {
    name: 'M7',
    wrong: 'a range past the end is answered with the whole content',
    patches: [
      {
        file: range,
        anchor: `if (spec.first >= sizeBytes) return { type: 'unsatisfiable' };`,
        replacement: `if (spec.first >= sizeBytes) return { type: 'whole' };`,
      },
    ],
    caughtBy: ['rangesAreExact'],
    hunt: {
      scenario: scene([], {
        asks: [{ atUs: pullUs, node: 1, image, what: 0, range: `bytes=${layerBytes + 5}-` }],
      }),
      seeds: [1],
    },
  },
  {
    name: 'M10',
    wrong: 'a client that hangs up while a head is waited for is not noticed: the request waits for ever',
    patches: [
      {
        file: 'core/relay/run-race.ts',
        anchor: `      this.#settle();
      this.#reject(abortReason(signal));`,
        replacement: '      this.#settle();',
      },
    ],
    caughtBy: ['storiesEnd'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, what: { kind: 'http', fault: { kind: 'silent-head' } } }), {
        holders: 1,
        asks: [{ atUs: pullUs + 1_000, node: 0, image, what: 0, patienceUs: 50_000 }],
      }),
      seeds: [1],
    },
  },
  {
    name: 'M15',
    wrong: 'the filter comes after the lookup',
    patches: [
      {
        file: stacks,
        anchor: 'filter(verify(local(relay(notFound, deps), deps), deps, options.blobVerification), filtering),',
        replacement: `async (exchange) => {
        const answer = await verify(local(relay(notFound, deps), deps), deps, options.blobVerification)(exchange);
        return filter(() => Promise.resolve(answer), filtering)(exchange);
      },`,
      },
    ],
    caughtBy: ['filteredIsLeftAlone'],
    hunt: { scenario: scene([], { mirror: { registryFilters: ['library/app'] } }), seeds: [1] },
  },
  {
    name: 'M18',
    wrong: 'the time-out of a head does not reach the request that it is to end',
    patches: [
      {
        file: 'core/relay/ask.ts',
        anchor: 'deps.peers.fetch(source.member, request, scope.signal)',
        replacement: 'deps.peers.fetch(source.member, request, new AbortController().signal)',
      },
    ],
    caughtBy: ['nobodyHangs'],
    hunt: {
      scenario: scene(oneHolder({ atUs: midPullUs, what: { kind: 'http', fault: { kind: 'silent-head' } } }), {
        holders: 1,
      }),
      seeds: [1],
    },
  },
  {
    name: 'M20',
    wrong:
      'an upload slot is given back twice, by the end of the body and by its release: the count goes below nothing',
    patches: [
      {
        file: 'core/handlers/limit-uploads.ts',
        anchor: 'if (slot.held) state.taken -= 1;',
        replacement: 'state.taken -= 1;',
      },
    ],
    caughtBy: ['uploadsAreBounded'],
    hunt: {
      scenario: scene([], {
        holders: 1,
        limits: { uploadsMax: 2 },
        cluster: { ...scene([]).cluster, nodes: 3 },
        workload: [
          { atUs: second, node: 1, image },
          { atUs: pullUs, node: 0, image },
          { atUs: pullUs + 300_000, node: 2, image },
        ],
      }),
      seeds: [1],
    },
  },
  {
    name: 'spegel-1422',
    wrong: 'a range that starts exactly at the end is taken for one that can be answered',
    seen: 'Spegel 1422',
    patches: [{ file: range, anchor: 'if (spec.first >= sizeBytes)', replacement: 'if (spec.first > sizeBytes)' }],
    caughtBy: ['answersAreAllowed', 'heldIsServed'],
    hunt: {
      scenario: scene([], {
        asks: [{ atUs: pullUs, node: 1, image, what: 0, range: `bytes=${layerBytes}-` }],
      }),
      seeds: [1],
    },
  },
  {
    name: 'M3',
    wrong: "a client's own hang-up counts as a failure of the source that was giving it bytes",
    seen: 'Spegel, row V: parallel ranges, 8 of 10 pulls fail',
    patches: [
      {
        file: 'core/relay/continuous-body.ts',
        anchor: 'if (this.#ended || this.#scope.signal.aborted) throw abortedError();',
        replacement: '',
      },
    ],
    caughtBy: ['peersSuffice'],
    hunt: {
      scenario: scene([upstreamGone], {
        holders: 1,
        asks: [{ atUs: pullUs - second, node: 0, image, what: 0, patienceUs: 50_000 }],
      }),
      seeds: [1],
    },
  },
];
