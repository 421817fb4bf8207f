/** What a manifest is without a word from its store or its sender: its own `mediaType`, else what its fields say (image-spec `manifest.md`, `image-index.md`). */
export function manifestMediaType(bytes: Uint8Array): string {
  const manifest = parseObject(bytes);
  if (manifest === undefined) return 'application/octet-stream';
  const said = manifest['mediaType'];
  if (typeof said === 'string' && /^[\w.+-]+\/[\w.+-]+$/.test(said)) return said;
  if ('manifests' in manifest) return 'application/vnd.oci.image.index.v1+json';
  if ('layers' in manifest) return 'application/vnd.oci.image.manifest.v1+json';
  if ('blobs' in manifest) return 'application/vnd.oci.artifact.manifest.v1+json';
  return 'application/json';
}

/** Whether a media type names a manifest or an index (OCI, Docker schema 2, artifact manifests), rather than a config or a layer. */
export function isManifestType(mediaType: string | undefined): boolean {
  return mediaType !== undefined && /\.(manifest|index)(\.|$)/.test(mediaType);
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
