import type { PlacedImage } from './netns/part-protocol.ts';

/** Whether a mirror finds all of an image: it is asked for each part by HEAD, as a client does, and no body is read. */
export async function findsImage(
  registryUrl: string,
  image: PlacedImage,
  what: 'all' | 'blobs' = 'all',
): Promise<boolean> {
  const { repository, registry, root, tag, blobs } = image;
  const isFound = async (kind: 'blobs' | 'manifests', reference: string): Promise<boolean> => {
    const url = `${registryUrl}/v2/${repository}/${kind}/${reference}?ns=${registry}`;
    const { status } = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(5000) });
    return status === 200;
  };
  const digests = [...blobs.keys()].filter((digest) => digest !== root.digest);
  const manifests = what === 'all' ? [tag, root.digest] : [];
  const answers = await Promise.all([
    ...manifests.map((reference) => isFound('manifests', reference)),
    ...digests.map((digest) => isFound('blobs', digest)),
  ]);
  return answers.every(Boolean);
}
