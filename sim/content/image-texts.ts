import type { SimContent } from './catalogue.ts';

export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

export function isManifestType(mediaType: string): boolean {
  return mediaType === mediaTypes.manifest || mediaType === 'application/vnd.docker.distribution.manifest.v2+json';
}

export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.index || mediaType === 'application/vnd.docker.distribution.manifest.list.v2+json';
}

/** The bytes of a manifest. */
export function manifestText(config: SimContent, layers: readonly SimContent[]): Uint8Array {
  return textBytes({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(config),
    layers: layers.map(descriptor),
  });
}

/** The bytes of an index; platforms as `linux/arm64`. */
export function indexText(
  manifests: readonly { readonly platform: string; readonly content: SimContent }[],
): Uint8Array {
  return textBytes({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: manifests.map(({ platform, content }) => {
      const [os, architecture] = platform.split('/');
      return { ...descriptor(content), platform: { architecture, os } };
    }),
  });
}

function descriptor({ mediaType, digest, sizeBytes }: SimContent): object {
  return { mediaType, digest, size: sizeBytes };
}

function textBytes(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
