import type { NetnsNode, PlacedImage } from '../../testbed/index.ts';

const timeoutMs = 10_000;

export function blobPathOf(image: PlacedImage, digest: string): string {
  return `/v2/${image.repository}/blobs/${digest}?ns=${image.registry}`;
}

/** What the node's mirror answers a client; a GET is read to its end. */
export async function statusAt(
  { registryUrl }: NetnsNode,
  path: string,
  method: 'GET' | 'HEAD' = 'HEAD',
): Promise<number> {
  const answer = await fetch(`${registryUrl}${path}`, { method, signal: AbortSignal.timeout(timeoutMs) });
  await answer.arrayBuffer();
  return answer.status;
}
