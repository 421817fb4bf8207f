import type { Party } from './party.ts';

/**
 * How long a reader waits for all of a chunk before it is given what has come of it, when its body has been under way for so long. Real ones are given every
 * packet; this is how finely a run is looked at. No byte is lost by it: whatever ends a body gives what had come until then.
 */
export type Patience = (elapsedUs: number) => number;

const leastUs = 100_000;

/** A mirror takes 2 s without a byte for a stall, and measures rates: it is not to see any of that where there is none. */
const mirrorMostUs = 500_000;
const mirrorPart = 2;

/** containerd, which counts minutes, from the upstream. */
const clientMostUs = 5_000_000;
const clientPart = 8;

export function patienceOf(reader: Party, server: Party): Patience {
  const isMirrors = reader.role === 'mirror' || server.role === 'mirror';
  const [part, mostUs] = isMirrors ? [mirrorPart, mirrorMostUs] : [clientPart, clientMostUs];
  return (elapsedUs) => Math.min(mostUs, Math.max(leastUs, Math.floor(elapsedUs / part)));
}
