/** Releases whose rules differ. */
export type SpegelRelease = '0.4' | '0.6' | '0.7';

/** So many peers are looked for, and in v0.6 so many are asked (`--mirror-resolve-retries`). */
export const resolveRetries = 3;
/** How long a lookup may take, and in v0.7 how long a peer is waited for while none is asked (`--mirror-resolve-timeout`). */
export const resolveTimeoutUs = 20_000;
/** Go's dialer, as its transport sets it. */
export const dialTimeoutUs = 30_000_000;
/** v0.4 and v0.6: at each peer. */
export const headTimeoutUs = 1_000_000;
export const manifestTimeoutUs = 2_000_000;
/** v0.7: all but a blob's body is over after so long. */
export const smallTimeoutUs = 3_000_000;
/** What was looked up is remembered for so long (v0.6 and v0.7). */
export const cacheUs = 5_000_000;
/** v0.7: and not looked up again for so long, though it was too little. */
export const refreshUs = 2_500_000;
/** Content up to here is read to guess its media type (v0.6 and v0.7). */
export const manifestBytesMax = 4 * 1024 * 1024;

/** v0.4 tells nobody what it holds: whoever is asked answers for itself. */
export function tellsOthers(release: SpegelRelease): boolean {
  return release !== '0.4';
}
