/** What a client asks of a registry, after its text has been understood (OCI distribution-spec, "Pull"). */
export type DistributionRequest = PingRequest | ManifestRequest | BlobRequest;

interface RequestBase {
  readonly method: 'GET' | 'HEAD';
  /** From another mirror: answer from this node alone. */
  readonly mirrored: boolean;
}

/** `GET /v2/`. */
export interface PingRequest extends RequestBase {
  readonly resource: 'ping';
}

interface ContentRequest extends RequestBase {
  /** The upstream registry that containerd means, `host` or `host:port`, from `ns`. Undefined when not said. */
  readonly registry: string | undefined;
  readonly repository: string;
  /** The Range header as it came, undefined without one. */
  readonly range: string | undefined;
}

/** `/v2/<name>/manifests/<reference>`: either `tag` or `digest` is set. */
export interface ManifestRequest extends ContentRequest {
  readonly resource: 'manifest';
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** `/v2/<name>/blobs/<digest>`. */
export interface BlobRequest extends ContentRequest {
  readonly resource: 'blob';
  readonly digest: string;
  /** A mirror asks whether this node's own file is right (L8): hash it, answer 200 or 404, send no bytes. */
  readonly selfCheck: boolean;
}
