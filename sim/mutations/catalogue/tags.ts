import type { Mutation } from '../mutation.ts';
import { image, nearAndFar, pullUs, scene, second } from './scenes.ts';

/** What goes wrong when a tag comes to mean something else. */
export const tags: readonly Mutation[] = [
  {
    name: 'M16',
    wrong: 'a tag that was answered once is answered from memory, as if it had just been resolved',
    patches: [
      {
        file: 'core/handlers/local.ts',
        anchor: 'const tag = await inTime(deps, signal, (inner) => deps.store.resolve(reference, inner));',
        replacement: `const digests = (deps.digests ??= new Map());
  if (digests.has(reference)) return { digest: digests.get(reference), ageUs: 0 };
  const tag = await inTime(deps, signal, (inner) => deps.store.resolve(reference, inner));
  if (tag !== undefined) digests.set(reference, tag.digest);`,
      },
    ],
    caughtBy: ['tagsAreFresh'],
    hunt: {
      scenario: scene([], {
        holders: 1,
        mirror: { tagMaxAgeUs: 5 * second },
        images: [{ name: image, layerBytes: [1_000], movesAtUs: [5 * second] }],
        asks: [3, 15].map((at) => ({ atUs: at * second, node: 1, image, what: 'tag', method: 'HEAD' }) as const),
      }),
      seeds: [1],
    },
  },
  {
    name: 'rke2-11245',
    wrong: 'of two nodes that disagree on a tag the nearer one is believed, not the one that resolved it last',
    seen: 'rke2 11245: pods of one rollout came up with the tag that had been moved away',
    patches: [
      {
        file: 'core/relay/source-order.ts',
        anchor: '(a.tagAgeUs ?? Infinity) - (b.tagAgeUs ?? Infinity) ||',
        replacement: '',
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
      seeds: [1],
    },
  },
];
