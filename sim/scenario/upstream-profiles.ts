import type { UpstreamSpec } from './scenario.ts';

/** Registries as they are met, by name. */
export const upstreamProfiles: Readonly<Record<string, UpstreamSpec>> = {
  /** One pipe of 1 Gbit/s that all share, 10 ms away. */
  office: { bytesPerSecond: 125_000_000, latencyUs: 10_000 },
  /** A registry in the same datacentre. */
  near: { bytesPerSecond: 1_250_000_000, latencyUs: 500 },
  /** Another continent: 1 Gbit/s, 150 ms there and back. */
  far: { bytesPerSecond: 125_000_000, latencyUs: 75_000 },
};
