import { sha256 } from '../../testbed/index.ts';
import type { MirrorPull, NetnsNode, PlacedImage } from '../../testbed/index.ts';

/** What is asked about: content or a tag of a repository, under the name that its registry has with clients. */
export type Asked = Pick<PlacedImage, 'registry' | 'repository'>;

export function urlOf(node: NetnsNode, { registry, repository }: Asked, path: string): string {
  return `${node.registryUrl}/v2/${repository}/${path}?ns=${registry}`;
}

/** Asks the node's mirror as a client of the node would: the status of a HEAD. */
export async function statusOf(node: NetnsNode, asked: Asked, path: string): Promise<number> {
  const { status } = await fetch(urlOf(node, asked, path), { method: 'HEAD', signal: AbortSignal.timeout(10_000) });
  return status;
}

/** Asks as another mirror does: what the node itself has. */
export async function ownStatusOf(node: NetnsNode, asked: Asked, path: string): Promise<number> {
  const headers = { 'x-spegel-mirrored': 'true' };
  const url = urlOf(node, asked, path);
  return (await fetch(url, { method: 'HEAD', headers, signal: AbortSignal.timeout(10_000) })).status;
}

/** Reads all of an answer: its status, and the digest of its bytes. */
export async function read(url: string): Promise<{ readonly status: number; readonly digest: string }> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(60_000) });
  return { status: answer.status, digest: sha256(new Uint8Array(await answer.arrayBuffer())) };
}

/** GETs of the node's own clients for anything of the image by digest, or its tag. */
export async function getsOf(node: NetnsNode, { blobs, repository, tag }: PlacedImage): Promise<readonly MirrorPull[]> {
  return (await node.mirror.pulls()).filter((pull) => {
    const isItsTag = pull.key.endsWith(`${repository}:${tag}`) || pull.key === tag;
    return pull.asker === 'client' && pull.method === 'GET' && (blobs.has(pull.key) || isItsTag);
  });
}

/** Bytes of the image that the node's clients were given through its mirror, by source. */
export async function sourcesOf(node: NetnsNode, image: PlacedImage): Promise<Readonly<Record<string, number>>> {
  const total: Record<string, number> = {};
  for (const { sources } of await getsOf(node, image)) {
    for (const [source, bytes] of Object.entries(sources)) total[source] = (total[source] ?? 0) + bytes;
  }
  return total;
}

/** Bytes of the digests; of all that the image has by default. */
export function sizeOf({ blobs }: PlacedImage, digests: Iterable<string> = blobs.keys()): number {
  return [...digests].reduce((sum, digest) => sum + (blobs.get(digest)?.sizeBytes ?? 0), 0);
}

/** The largest of its layers. */
export function layerOf({ blobs }: PlacedImage): { readonly digest: string; readonly sizeBytes: number } {
  const [digest, { sizeBytes }] = [...blobs].reduce((a, b) => (b[1].sizeBytes > a[1].sizeBytes ? b : a));
  return { digest, sizeBytes };
}
