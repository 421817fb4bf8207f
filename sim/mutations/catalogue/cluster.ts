import type { Fault } from '../../faults/fault.ts';
import type { Mutation } from '../mutation.ts';
import { image, layerBytes, nearAndFar, oneHolder, pullUs, scene, second, upstreamGone } from './scenes.ts';

const recordStore = 'core/routing/record-store.ts';

const everywhere = (nodes: number, fault: Omit<Fault, 'target'>): Fault[] =>
  Array.from({ length: nodes }, (_, target) => ({ ...fault, target }));

/** What goes wrong between nodes, and in time: who is said to have what. */
export const cluster: readonly Mutation[] = [
  {
    name: 'M19',
    wrong: 'a node that is told of itself as a holder asks itself',
    patches: [
      {
        file: recordStore,
        anchor: 'nowUs < claim.expiresAtUs && sender.member.id !== asker?.id',
        replacement: 'nowUs < claim.expiresAtUs',
      },
      {
        file: 'core/routing/lookup-flight.ts',
        anchor: 'const others = told.filter(({ member }) => member.id !== this.#deps.self.id);',
        replacement: 'const others = told;',
      },
    ],
    caughtBy: ['nothingIsForwarded'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, what: { kind: 'remove-layers' } }), {
        holders: 1,
        workload: [second, pullUs].map((atUs) => ({ atUs, node: 1, image })),
      }),
      seeds: [1],
    },
  },
  {
    name: 'M22',
    wrong: 'content that has left the store is not withdrawn',
    patches: [
      {
        file: 'core/advertising/holdings.ts',
        anchor: 'if (this.#contents.delete(digest)) this.#touch(digest);',
        replacement: 'this.#contents.delete(digest);',
      },
    ],
    caughtBy: ['absentIsNotNamed'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, what: { kind: 'remove-layers' } }), {
        holders: 1,
        workload: [
          { atUs: second, node: 1, image },
          { atUs: pullUs + 120 * second, node: 0, image },
        ],
      }),
      seeds: [1],
    },
  },
  {
    name: 'M23',
    wrong: 'records never expire: who has gone is asked for ever',
    patches: [
      {
        file: recordStore,
        anchor: 'nowUs < claim.expiresAtUs && sender',
        replacement: 'nowUs < Infinity && sender',
      },
      { file: recordStore, anchor: 'if (nowUs >= claim.expiresAtUs)', replacement: 'if (nowUs < 0)' },
    ],
    caughtBy: ['theDeadAreForgotten'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, what: { kind: 'crash' } }), {
        holders: 1,
        workload: [
          { atUs: second, node: 1, image },
          { atUs: pullUs + 45 * 60 * second, node: 0, image },
        ],
        untilUs: 50 * 60 * second,
      }),
      seeds: [1],
    },
  },
  {
    name: 'P6',
    wrong: 'what is withdrawn is not told to those who had been told that it is there',
    patches: [
      {
        file: 'core/advertising/outbox.ts',
        anchor: `placement.removeKey(key);
    this.#markTold(key);`,
        replacement: 'placement.removeKey(key);',
      },
    ],
    caughtBy: ['absentIsNotNamed'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, what: { kind: 'remove-layers' } }), {
        holders: 1,
        workload: [
          { atUs: second, node: 1, image },
          { atUs: pullUs + 120 * second, node: 0, image },
        ],
      }),
      seeds: [1],
    },
  },
  {
    name: 'P7',
    wrong: 'what a member said in its last life is kept when it begins another one, with an empty disk',
    patches: [
      {
        file: recordStore,
        anchor: 'if (claim.sequence < sequence) this.#drop(sender, entry);',
        replacement: 'if (claim.sequence < -1) this.#drop(sender, entry);',
      },
    ],
    caughtBy: ['absentIsNotNamed'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, untilUs: pullUs + second, what: { kind: 'crash-empty' } }), {
        holders: 1,
        workload: [
          { atUs: second, node: 1, image },
          { atUs: pullUs + 120 * second, node: 0, image },
        ],
      }),
      seeds: [1],
    },
  },
  {
    name: 'P13',
    wrong:
      'an addition that arrives again, on a stream that was given up, after the withdrawal that followed it brings the record back',
    patches: [
      {
        file: recordStore,
        anchor: 'if (sender.wasBuriedAfter(key, sequence, nowUs)) {',
        replacement: 'if (sequence < 0 && sender.wasBuriedAfter(key, sequence, nowUs)) {',
      },
    ],
    caughtBy: ['absentIsNotNamed'],
    hunt: {
      scenario: scene(
        [
          ...everywhere(2, {
            atUs: 0,
            untilUs: pullUs - 2 * second,
            what: { kind: 'records', fault: { kind: 'again', delayUs: pullUs } },
          }),
          ...oneHolder({ atUs: pullUs - second, what: { kind: 'remove-layers' } }),
        ],
        {
          holders: 1,
          workload: [
            { atUs: second, node: 1, image },
            { atUs: pullUs + 120 * second, node: 0, image },
          ],
        },
      ),
      seeds: [1],
    },
  },
  {
    name: 'P14',
    wrong: 'a withdrawal that arrives again withdraws what has been added since',
    patches: [
      {
        file: recordStore,
        anchor: 'if (claim !== undefined && claim.sequence > sequence) return;',
        replacement: 'if (claim !== undefined && claim.sequence < 0) return;',
      },
    ],
    caughtBy: ['heldIsKnown'],
    hunt: {
      scenario: scene(
        [
          ...everywhere(2, {
            atUs: 0,
            untilUs: 8 * second,
            what: { kind: 'records', fault: { kind: 'again', delayUs: 8 * second } },
          }),
          ...oneHolder({ atUs: 5 * second, untilUs: 6 * second, what: { kind: 'remove-layers' } }),
        ],
        {
          holders: 1,
          workload: [
            { atUs: second, node: 1, image },
            { atUs: 9 * second, node: 1, image },
            { atUs: pullUs, node: 0, image },
          ],
        },
      ),
      seeds: [1],
    },
  },
  {
    name: 'P15',
    wrong:
      'when the store says that changes were missed nothing is listed anew: what a node pulled then is told of a minute later',
    patches: [
      {
        file: 'core/advertising/advertiser.ts',
        anchor: `    } else {
      void this.#list();
    }
  }`,
        replacement: `    }
  }`,
      },
    ],
    caughtBy: ['heldIsKnown', 'peersSuffice'],
    hunt: {
      scenario: scene([upstreamGone, ...oneHolder({ atUs: 0, what: { kind: 'store-events', how: 'gap' } })], {
        holders: 1,
      }),
      seeds: [1],
    },
  },
  {
    name: 'P16',
    wrong: 'a file that cannot be read on ends the body, though a peer has the rest',
    patches: [
      {
        file: 'core/handlers/local-body.ts',
        anchor: 'if (held.askedNext) throw failure;',
        replacement: 'if (held.askedNext || failure !== undefined) throw failure;',
      },
    ],
    caughtBy: ['bodiesGoOn'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, what: { kind: 'read-error', atByte: layerBytes - 1 } }), {
        asks: [{ atUs: pullUs + second, node: 1, image, what: 0 }],
        workload: [
          { atUs: second, node: 1, image },
          { atUs: 6 * second, node: 2, image },
          { atUs: pullUs + 5 * second, node: 0, image },
        ],
      }),
      seeds: [1],
    },
  },
  {
    name: 'P17',
    wrong:
      'the age of a tag stands still while its record lies at another member: the nearest of two that disagree is believed',
    patches: [
      {
        file: recordStore,
        anchor: 'ageUs: tag.ageUs + (nowUs - claim.receivedAtUs)',
        replacement: 'ageUs: Math.min(tag.ageUs, nowUs - claim.receivedAtUs)',
      },
    ],
    caughtBy: ['tagsAreFresh'],
    hunt: {
      scenario: scene(
        [
          {
            atUs: 5 * second,
            untilUs: 10 * second,
            target: 1,
            what: { kind: 'http', fault: { kind: 'status', status: 404 } },
          },
        ],
        {
          images: [{ name: image, layerBytes: [1_000], movesAtUs: [4 * second] }],
          cluster: nearAndFar,
          workload: [
            { atUs: second, node: 1, image },
            { atUs: 6 * second, node: 2, image },
            { atUs: pullUs, node: 0, image },
          ],
        },
      ),
      seeds: [1, 2, 3],
    },
  },
  {
    name: 'P18',
    wrong:
      'what is there is not said again before its records expire: after twenty minutes nobody knows of it any more',
    patches: [
      {
        file: 'core/advertising/dialogue.ts',
        anchor: 'limits.kadAdvertiseIntervalUs : limits.advertiseIntervalUs;',
        replacement: 'limits.kadAdvertiseIntervalUs : 100 * limits.advertiseIntervalUs;',
      },
    ],
    caughtBy: ['heldIsKnown'],
    hunt: {
      scenario: scene([{ ...upstreamGone, atUs: 40 * 60 * second }], {
        holders: 1,
        workload: [
          { atUs: second, node: 1, image },
          { atUs: pullUs + 45 * 60 * second, node: 0, image },
        ],
        untilUs: 50 * 60 * second,
      }),
      seeds: [1],
    },
  },
  {
    name: 'P8',
    wrong: 'a lookup that has ended is joined by the next one for the same key, which never ends',
    patches: [
      {
        file: 'core/routing/router.ts',
        anchor: '() => void this.#flights.delete(key)',
        replacement: '() => undefined',
      },
    ],
    caughtBy: ['nobodyHangs'],
    hunt: {
      scenario: scene([], { asks: [{ atUs: second / 2, node: 0, image, what: 'tag', method: 'HEAD' }] }),
      seeds: [1],
    },
  },
  {
    name: 'P9',
    wrong: 'what another mirror asks for is looked for among the peers too',
    patches: [
      {
        file: 'core/handlers/stacks.ts',
        anchor: 'switched(filter(local(notFound, deps), filtering)',
        replacement: 'switched(filter(local(relay(notFound, deps), deps), filtering)',
      },
      {
        file: 'core/handlers/relay.ts',
        anchor: `if (request.resource === 'ping' || request.mirrored)`,
        replacement: `if (request.resource === 'ping')`,
      },
    ],
    caughtBy: ['nothingIsForwarded'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, what: { kind: 'remove-layers' } })),
      seeds: [1, 2, 3, 4],
    },
  },
];
