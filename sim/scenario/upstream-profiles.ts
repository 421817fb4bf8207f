import type { UpstreamSpec } from '../upstream/upstream-spec.ts';

/** Registries as they are met, by name. */
export const upstreamProfiles: Readonly<Record<string, UpstreamSpec>> = {
  /** One pipe of 1 Gbit/s that all share, 10 ms away. */
  office: { bytesPerSecond: 125_000_000, latencyUs: 10_000 },
  /** A registry in the same datacentre. */
  near: { bytesPerSecond: 1_250_000_000, latencyUs: 500 },
  /** Another continent: 1 Gbit/s, 150 ms there and back. */
  far: { bytesPerSecond: 125_000_000, latencyUs: 75_000 },
  /** Docker Hub from an office: tokens, blobs from a CDN, 100 GETs of manifests in 6 hours for the whole address. */
  dockerHub: {
    bytesPerSecond: 125_000_000,
    latencyUs: 40_000,
    tls: true,
    token: {},
    storage: { bytesPerSecond: 125_000_000, latencyUs: 8_000 },
    manifestLimit: { gets: 100, windowUs: 21_600_000_000 },
  },
  /** A cloud registry: no limit in all, about 400 Mbit/s a stream. */
  cloud: { bytesPerSecond: 1_000_000_000_000, latencyUs: 2_000, flowBytesPerSecond: 50_000_000, tls: true, token: {} },
};
