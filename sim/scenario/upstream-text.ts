import * as v from 'valibot';
import type { OutageSpec, UpstreamSpec } from '../upstream/upstream-spec.ts';
import { count, duration, either, fields, listOf, oneOf, oneOrMore, rate, text } from './quantities.ts';
import { upstreamProfiles } from './upstream-profiles.ts';

const profileName = oneOf(Object.keys(upstreamProfiles), 'profile of an upstream');

const inFull = fields({
  /** What is not said here is as there. */
  profile: v.optional(profileName, 'office'),
  rate: v.optional(rate),
  latency: v.optional(duration),
  /** No stream is faster. */
  streamRate: v.optional(rate),
  /** GETs of manifests that it answers in so long. */
  manifestLimit: v.optional(
    fields({
      gets: count(0, 1_000_000),
      window: duration,
      per: v.optional(oneOf(['cluster', 'node'], 'counting'), 'cluster'),
    }),
  ),
  outages: v.optional(
    listOf(
      fields({
        from: duration,
        until: duration,
        kind: v.optional(oneOf(['refuse', 'black-hole'], 'outage'), 'refuse'),
      }),
    ),
    [],
  ),
  /** Images that are not there. */
  absent: v.optional(oneOrMore(text)),
});

/** A registry in a file: a profile by its name, or in full. */
export const upstreamText = either(
  (input) => typeof input === 'string',
  v.pipe(
    profileName,
    v.transform((profile) => upstreamOf({ profile, outages: [] })),
  ),
  v.pipe(
    inFull,
    v.transform((parts) => upstreamOf(parts)),
  ),
);

function upstreamOf(parts: v.InferOutput<typeof inFull>): UpstreamSpec {
  const { profile, absent, latency, manifestLimit, outages, rate: bytesPerSecond, streamRate } = parts;
  const known = upstreamProfiles[profile];
  // The schema has looked at the name.
  if (known === undefined) throw new RangeError(`no profile ${profile}`);
  return {
    ...known,
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    ...(latency === undefined ? {} : { latencyUs: latency }),
    ...(streamRate === undefined ? {} : { flowBytesPerSecond: streamRate }),
    ...(manifestLimit === undefined
      ? {}
      : { manifestLimit: { gets: manifestLimit.gets, windowUs: manifestLimit.window, per: manifestLimit.per } }),
    ...(outages.length === 0
      ? {}
      : { outages: outages.map(({ from, until, kind }): OutageSpec => ({ fromUs: from, untilUs: until, kind })) }),
    ...(absent === undefined ? {} : { absent }),
  };
}
