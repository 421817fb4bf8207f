import type { Canary } from '../canary/canary.ts';
import { canaryRegistry } from '../canary/canary-image.ts';
import type { CanaryContent, CanaryImage } from '../canary/canary-image.ts';
import type { BlobRequest, ManifestRequest } from '../requests/request.ts';
import type { Handler } from './handler.ts';
import { notFound } from './not-found.ts';
import { rangedResponse } from './ranged.ts';
import { bytesBody } from './responses.ts';

/** How often clients had asked this mirror for this canary before: who has had it pulled reads here whether it came by. */
export const canaryAskedHeader = 'peili-canary-asked';

/**
 * Answers the reserved registry, from nothing: in front of the filter, so that no filter hides the proof that containerd uses this mirror. Any mirror
 * answers for any node's canary, as a service may stand between containerd and its mirrors. What is no canary is known to nobody.
 */
export function canary(next: Handler, { canary: images }: { readonly canary: Canary }): Handler {
  return async (exchange) => {
    const { request } = exchange;
    if (request.resource === 'ping' || request.registry !== canaryRegistry) return next(exchange);
    const image = images.imageOf(request.repository);
    const content = image === undefined ? undefined : contentOf(image, request);
    if (image === undefined || content === undefined) return notFound(exchange);
    const { digest, mediaType, bytes } = content;
    const response = await rangedResponse(
      request,
      { digest, sizeBytes: bytes.byteLength, contentType: mediaType },
      (start, end) => bytesBody(bytes.subarray(start, end)),
    );
    if (request.resource === 'blob') return response;
    const before = images.noteAsked(image.nonce);
    return { ...response, headers: { ...response.headers, [canaryAskedHeader]: String(before) } };
  };
}

function contentOf(image: CanaryImage, request: ManifestRequest | BlobRequest): CanaryContent | undefined {
  const { manifest, config, layer } = image;
  const contents = request.resource === 'manifest' ? [manifest] : [config, layer];
  return contents.find(({ digest }) => digest === request.digest);
}
