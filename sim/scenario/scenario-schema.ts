import * as v from 'valibot';
import { policyNames } from '../policies/named.ts';
import { bound, parseNumber } from './bound.ts';
import { faultText } from './fault-text.ts';
import { count, duration, fields, layers, listOf, oneOf, oneOrMore, text } from './quantities.ts';
import { clusterText } from './cluster-text.ts';
import { workText } from './workload-text.ts';
import { upstreamText } from './upstream-text.ts';
import { parseDurationUs } from './units.ts';

const image = fields({
  name: text,
  layers,
  /** Another image of this file, whose layers come first in this one. */
  base: v.optional(text),
  /** When its tag comes to mean other content. */
  movesAt: v.optional(oneOrMore(duration)),
  /** Layers with the same label are the same content, whichever image they are of. */
  labels: v.optional(listOf(text)),
  /** More than one: the tag means an index. */
  platforms: v.optional(oneOrMore(text)),
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
  cluster: v.optional(clusterText, {}),
  upstream: v.optional(upstreamText, 'office'),
  images: v.optional(listOf(image), []),
  workload: v.pipe(listOf(workText), v.minLength(1, 'has nothing in it: say which image is pulled where')),
  faults: v.optional(listOf(faultText), []),
  mirror: v.optional(mirror, {}),
  /** Mirrors behave rarely where they may, in so many of 64 cases. */
  buggify: v.optional(count(0, 64)),
  /** Which of the events that are due at the same time change places. */
  swaps: v.optional(listOf(count(0, Number.MAX_SAFE_INTEGER))),
  /** From then on this part of the cluster is well, and the upstream: a law says what they have to come to. */
  heal: v.optional(fields({ at: duration, core: oneOrMore(text) })),
  /** @default an hour, or an hour after the last pull of a trace */
  until: v.optional(
    v.pipe(
      duration,
      v.check((us) => us > 0, 'is over before anything begins: write 10min'),
    ),
  ),
  seeds: v.optional(count(1, 10_000), 1),
  policies: v.optional(oneOrMore(oneOf(policyNames, 'policy')), ['peili', 'noMirror']),
  expect: v.optional(
    v.record(oneOf(policyNames, 'policy'), expectation, 'is no list of policies and what is expected of each'),
    { peili: { failed: 0, pending: 0 } },
  ),
});

/** A scenario as people write it, in YAML or TypeScript: quantities with their units. */
export type ScenarioText = v.InferInput<typeof scenarioSchema>;
export type ScenarioParts = v.InferOutput<typeof scenarioSchema>;
