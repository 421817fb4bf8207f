import * as v from 'valibot';
import type { ManifestLimit, OutageSpec, StorageSpec, TokenSpec, UpstreamSpec } from '../upstream/upstream-spec.ts';
import {
  count,
  duration,
  either,
  fields,
  listOf,
  oneOf,
  oneOrMore,
  rate,
  text,
  unlimitedRate,
  yesOrNo,
} from './quantities.ts';
import { upstreamProfiles } from './upstream-profiles.ts';

const profileName = oneOf(Object.keys(upstreamProfiles), 'profile of an upstream');

const inFull = fields({
  /** What is not said here is as there. */
  profile: v.optional(profileName, 'office'),
  rate: v.optional(unlimitedRate),
  latency: v.optional(duration),
  /** No stream is faster. */
  streamRate: v.optional(rate),
  /** GETs of manifests that it answers in so long. */
  manifestLimit: v.optional(
    fields({
      gets: count(0, 1_000_000),
      window: duration,
      per: v.optional(oneOf(['cluster', 'node'], 'counting')),
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
  /** Connections take one round trip more. */
  tls: v.optional(yesOrNo),
  /** Nobody is answered without a token. */
  token: v.optional(fields({ latency: v.optional(duration), lifetime: v.optional(duration) })),
  /** Blobs come from there, after a redirect. */
  storage: v.optional(fields({ rate: unlimitedRate, latency: duration, streamRate: v.optional(rate) })),
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
  const {
    profile,
    absent,
    latency,
    manifestLimit,
    outages,
    rate: bytesPerSecond,
    storage,
    streamRate,
    tls,
    token,
  } = parts;
  const known = upstreamProfiles[profile];
  // The schema has looked at the name.
  if (known === undefined) throw new RangeError(`no profile ${profile}`);
  return {
    ...known,
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    ...(latency === undefined ? {} : { latencyUs: latency }),
    ...(streamRate === undefined ? {} : { flowBytesPerSecond: streamRate }),
    ...(tls === undefined ? {} : { tls }),
    ...(token === undefined ? {} : { token: tokenOf(token) }),
    ...(storage === undefined ? {} : { storage: storageOf(storage) }),
    ...(manifestLimit === undefined ? {} : { manifestLimit: limitOf(manifestLimit) }),
    ...(outages.length === 0
      ? {}
      : { outages: outages.map(({ from, until, kind }): OutageSpec => ({ fromUs: from, untilUs: until, kind })) }),
    ...(absent === undefined ? {} : { absent }),
  };
}

type Parts<Name extends keyof v.InferOutput<typeof inFull>> = NonNullable<v.InferOutput<typeof inFull>[Name]>;

function tokenOf({ latency, lifetime }: Parts<'token'>): TokenSpec {
  return {
    ...(latency === undefined ? {} : { latencyUs: latency }),
    ...(lifetime === undefined ? {} : { lifetimeUs: lifetime }),
  };
}

function storageOf({ latency, rate: bytesPerSecond, streamRate }: Parts<'storage'>): StorageSpec {
  const cap = streamRate === undefined ? {} : { flowBytesPerSecond: streamRate };
  return { bytesPerSecond, latencyUs: latency, ...cap };
}

function limitOf({ gets, per, window }: Parts<'manifestLimit'>): ManifestLimit {
  return { gets, windowUs: window, ...(per === undefined ? {} : { per }) };
}
