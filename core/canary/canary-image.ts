import { PeiliError } from '../errors.ts';
import type { Digester } from '../ports/index.ts';
import { digestOf } from '../verification/digest.ts';
import { tarOf } from './tar.ts';

/** The reserved registry: every mirror serves it from nothing, nobody advertises it, and no upstream has it. */
export const canaryRegistry = 'canary.peili.internal';

/** A nonce makes an image that nobody has pulled before. */
const noncePattern = /^[a-z0-9]{8,64}$/;
/** As containerd names it: `amd64`, `arm64`, `riscv64`. Unpacking needs that of the node, and any mirror must make the same image. */
const architecturePattern = /^[a-z0-9]{2,16}$/;

/** One blob of the image. */
export interface CanaryContent {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** A whole image with one layer of one file. It is a function of its architecture and nonce alone: no mirror has to remember it. */
export interface CanaryImage {
  /** What is pulled: by digest, since mirrors without the `resolve` capability are never asked for tags. */
  readonly reference: string;
  /** Its place in the registry, which says all that the image is made of. */
  readonly repository: string;
  readonly nonce: string;
  readonly manifest: CanaryContent;
  readonly config: CanaryContent;
  readonly layer: CanaryContent;
}

/** Throws `NAME_INVALID` for what cannot be part of a repository of the canary. */
export function createCanaryImage(digester: Digester, architecture: string, nonce: string): CanaryImage {
  const repository = `${architecture}/${nonce}`;
  if (!architecturePattern.test(architecture) || !noncePattern.test(nonce)) {
    throw new PeiliError('NAME_INVALID', 'a canary is <architecture>/<nonce>', { repository });
  }
  const content = (mediaType: string, bytes: Uint8Array): CanaryContent => ({
    digest: digestOf(digester, 'sha256', bytes),
    mediaType,
    bytes,
  });
  const layer = content('application/vnd.oci.image.layer.v1.tar', tarOf('canary', encode(`${nonce}\n`)));
  const config = content(
    'application/vnd.oci.image.config.v1+json',
    encode(
      JSON.stringify({ architecture, os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [layer.digest] } }),
    ),
  );
  const manifest = content(
    'application/vnd.oci.image.manifest.v1+json',
    encode(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: descriptorOf(config),
        layers: [descriptorOf(layer)],
      }),
    ),
  );
  const reference = `${canaryRegistry}/${repository}@${manifest.digest}`;
  return { reference, repository, nonce, manifest, config, layer };
}

/** The image that a repository of the canary's registry stands for; undefined if it stands for none. */
export function canaryImageOf(digester: Digester, repository: string): CanaryImage | undefined {
  const [architecture = '', nonce = '', ...rest] = repository.split('/');
  if (rest.length > 0 || !architecturePattern.test(architecture) || !noncePattern.test(nonce)) return undefined;
  return createCanaryImage(digester, architecture, nonce);
}

function descriptorOf({ mediaType, digest, bytes }: CanaryContent) {
  return { mediaType, digest, size: bytes.byteLength };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
