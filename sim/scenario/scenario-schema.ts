import * as v from 'valibot';
import { policyNames } from '../policies/named.ts';
import { diskProfiles } from '../disk/disk-profiles.ts';
import { bound, parseNumber } from './bound.ts';
import { faultText } from './fault-text.ts';
import { count, duration, either, fields, layers, listOf, oneOf, oneOrMore, rate, share, text } from './quantities.ts';
import { upstreamText } from './upstream-text.ts';
import { parseDurationUs } from './units.ts';

const nodesMax = 100_000;

const group = fields({
  /** Its nodes are `<name>0`, `<name>1`, ... */
  name: text,
  count: count(1, nodesMax),
  /** One, or several in turn. */
  zone: v.optional(oneOrMore(text)),
  /** Where they are not like the others. */
  up: v.optional(rate),
  down: v.optional(rate),
  mirrorRate: v.optional(rate),
});

const cluster = fields({
  nodes: either(Array.isArray, listOf(group), count(1, nodesMax)),
  /** How many, or their names. */
  zones: v.optional(either(Array.isArray, listOf(text), count(1, 1_000)), 1),
  up: v.optional(rate, '10Gbit/s'),
  down: v.optional(rate, '10Gbit/s'),
  latency: v.optional(duration, '200us'),
  zoneLatency: v.optional(duration, '600us'),
  mirrorRate: v.optional(rate, '2GB/s'),
  /** All that goes from one zone to another. */
  zoneRate: v.optional(rate),
  disk: v.optional(oneOf(Object.keys(diskProfiles), 'disk')),
  unpack: v.optional(fields({ layer: v.optional(duration, '0'), rate, shared: v.optional(rate) })),
});

const image = fields({
  name: text,
  layers,
  /** Another image of this file, whose layers come first in this one. */
  base: v.optional(text),
  /** When its tag comes to mean other content. */
  movesAt: v.optional(oneOrMore(duration)),
});

const pulls = fields({
  pull: text,
  on: v.optional(oneOrMore(text), 'all'),
  except: v.optional(oneOrMore(text), []),
  at: v.optional(duration, '0'),
  /** Each a little later, by up to so much, drawn anew for each seed. */
  jitter: v.optional(duration),
  /** From one node, or one wave, to the next. */
  every: v.optional(duration),
  waves: v.optional(count(1, nodesMax)),
  /** So many pull at a time: the next one begins when one has ended. */
  atOnce: v.optional(share),
  /** They come by chance, so far apart in the mean. */
  arrivals: v.optional(duration),
  /** A pull that failed is tried again a second later, so often. */
  retries: v.optional(count(0, 1_000)),
});

const expectation = fields({
  failed: v.optional(bound(parseNumber, '0')),
  pending: v.optional(bound(parseNumber, '0')),
  upstreamCopies: v.optional(bound(parseNumber, '1.1')),
  upstreamRequests: v.optional(bound(parseNumber, '20')),
  makespan: v.optional(bound(parseDurationUs, '30s')),
  slowest: v.optional(bound(parseDurationUs, '30s')),
});

/** As the flags of `peili registry`, without their dashes. */
const mirror = fields({
  registryFilters: v.optional(oneOrMore(text)),
  mirroredRegistries: v.optional(oneOrMore(text)),
  blobsOnlyRegistries: v.optional(oneOrMore(text)),
  blobVerification: v.optional(oneOf(['off', 'suspect', 'always'], 'way of verifying')),
  tagMaxAge: v.optional(duration),
  limits: v.optional(
    v.record(
      text,
      v.custom<string | number>((input) => typeof input === 'number' || typeof input === 'string'),
    ),
    {},
  ),
});

export const scenarioSchema = fields({
  name: v.optional(text, ''),
  shows: v.optional(text, ''),
  cluster,
  upstream: v.optional(upstreamText, 'office'),
  images: v.pipe(listOf(image), v.minLength(1, 'has none: a scenario needs an image')),
  workload: v.pipe(listOf(pulls), v.minLength(1, 'has nothing in it: say which image is pulled where')),
  faults: v.optional(listOf(faultText), []),
  mirror: v.optional(mirror, {}),
  until: v.optional(duration, '1h'),
  seeds: v.optional(count(1, 10_000), 1),
  policies: v.optional(oneOrMore(oneOf(policyNames, 'policy')), ['peili', 'noMirror']),
  expect: v.optional(
    v.record(oneOf(policyNames, 'policy'), expectation, 'is no list of policies and what is expected of each'),
    { peili: { failed: 0 } },
  ),
});

/** A scenario as people write it, in YAML or TypeScript: quantities with their units. */
export type ScenarioText = v.InferInput<typeof scenarioSchema>;
export type ScenarioParts = v.InferOutput<typeof scenarioSchema>;
