/** The registry that images come from in the first place. */
export interface UpstreamSpec {
  /** All that leaves it. */
  readonly bytesPerSecond: number;
  /** One way. */
  readonly latencyUs: number;
  /** No stream of it is faster, as of a cloud registry. @default no cap */
  readonly flowBytesPerSecond?: number;
  /** Connections take one round trip more. @default false */
  readonly tls?: boolean;
  /** Anonymous clients are answered 401 and fetch a token, for each repository. @default none is wanted */
  readonly token?: TokenSpec;
  /** Blobs come from there: the registry answers with a redirect. @default from itself */
  readonly storage?: StorageSpec;
  /** Docker Hub counts GETs of manifests, and answers 429 when they are too many. HEADs do not count. @default no limit */
  readonly manifestLimit?: ManifestLimit;
  readonly outages?: readonly OutageSpec[];
  /** Images that are not there, or private: 404. */
  readonly absent?: readonly string[];
}

export interface TokenSpec {
  /** One way to the host that gives them. @default as to the registry */
  readonly latencyUs?: number;
  /** @default 5 minutes, as Docker Hub's */
  readonly lifetimeUs?: number;
}

export interface StorageSpec {
  readonly bytesPerSecond: number;
  readonly latencyUs: number;
  readonly flowBytesPerSecond?: number;
}

export interface ManifestLimit {
  readonly gets: number;
  readonly windowUs: number;
  /** Whom it counts: the whole cluster behind one address, or each node by its own. @default 'cluster' */
  readonly per?: 'cluster' | 'node';
}

/** `refuse`: nobody listens; `black-hole`: packets vanish. */
export interface OutageSpec {
  readonly fromUs: number;
  readonly untilUs: number;
  readonly kind: 'refuse' | 'black-hole';
}
