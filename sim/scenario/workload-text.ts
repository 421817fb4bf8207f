import * as v from 'valibot';
import { count, duration, either, fields, oneOf, oneOrMore, rate, share, size, text } from './quantities.ts';
import { sayOneOf, sayValue } from './scenario-error.ts';

export const nodesMax = 100_000;

/** Which nodes, and when each of them begins. */
const place = {
  on: v.optional(oneOrMore(text), 'all'),
  except: v.optional(oneOrMore(text), []),
  at: v.optional(duration, '0'),
  /** From one node, or one wave, to the next. */
  every: v.optional(duration),
  waves: v.optional(count(1, nodesMax)),
  /** They come by chance, so far apart in the mean. */
  arrivals: v.optional(duration),
};

const pulls = v.pipe(
  fields({
    pull: text,
    ...place,
    /** Each a little later, by up to so much, drawn anew for each seed. */
    jitter: v.optional(duration),
    /** So many pull at a time: the next one begins when one has ended. */
    atOnce: v.optional(share),
    /** An earlier part of the workload, by its index: each node begins when its pull of that part has ended. */
    after: v.optional(count(0, 1_000_000)),
    /** A pull that failed is tried again a second later, so often. */
    retries: v.optional(count(0, 1_000)),
  }),
  v.transform((parts) => ({ ...parts, work: 'pulls' as const })),
);

const pods = v.pipe(
  fields({
    /** The images of its containers, in their order. */
    pod: oneOrMore(text),
    ...place,
    pullPolicy: v.optional(oneOf(['IfNotPresent', 'Always'], 'policy of pulling')),
  }),
  v.transform((parts) => ({ ...parts, work: 'pods' as const })),
);

const whats = ['tag', 'manifest', 'config'] as const;

const asks = v.pipe(
  fields({
    /** The image of which something is asked. */
    ask: text,
    /** Its manifest by tag or by digest, its config, or a layer by its index. */
    what: v.custom<(typeof whats)[number] | number>(
      (input) => whats.some((what) => what === input) || (Number.isInteger(input) && Number(input) >= 0),
      ({ input }) => `${sayValue(input)} is no part of an image: write ${whats.join(', ')}, or a layer by its index, 0`,
    ),
    ...place,
    method: v.optional(oneOf(['GET', 'HEAD'], 'method')),
    /** The Range field, `bytes=-100`. */
    range: v.optional(text),
    /** It takes no more in a second. */
    rate: v.optional(rate),
    /** It hangs up after so many bytes, or so long. */
    bytes: v.optional(size),
    patience: v.optional(duration),
  }),
  v.transform((parts) => ({ ...parts, work: 'asks' as const })),
);

const traces = v.pipe(
  fields({
    /** Files, as `peili sim record` writes them, by their place from this file. */
    trace: oneOrMore(text),
    /** Each of these nodes does all of it. @default each node what it did */
    on: v.optional(oneOrMore(text)),
    except: v.optional(oneOrMore(text), []),
    at: v.optional(duration, '0'),
  }),
  v.transform((parts) => ({ ...parts, work: 'traces' as const })),
);

const kinds = { pull: pulls, pod: pods, ask: asks, trace: traces } as const;

const nothing = v.custom<never>(
  () => false,
  ({ input }) => `${sayValue(input)} is no work: write ${sayOneOf(Object.keys(kinds))}, and on, at, ... below it`,
);

function has(name: keyof typeof kinds): (input: unknown) => boolean {
  return (input) => typeof input === 'object' && input !== null && name in input;
}

/** One part of the workload: its first word decides what else it may say. */
export const workText = either(
  has('pull'),
  pulls,
  either(has('pod'), pods, either(has('ask'), asks, either(has('trace'), traces, nothing))),
);

export type WorkParts = v.InferOutput<typeof workText>;
export type WorkOf<Work extends WorkParts['work']> = Extract<WorkParts, { readonly work: Work }>;
