import type { Mutation } from '../mutation.ts';
import { image, oneHolder, pullUs, scene, second } from './scenes.ts';

const recordStore = 'core/routing/record-store.ts';

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
        anchor: 'mirrors: options.uploads.handler(filter(local(notFound, deps), filtering)),',
        replacement: 'mirrors: options.uploads.handler(filter(local(relay(notFound, deps), deps), filtering)),',
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
