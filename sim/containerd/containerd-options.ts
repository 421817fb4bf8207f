/** How a containerd is configured, and what of its behaviour is fixed in its sources. */
export interface ContainerdOptions {
  /** Requests for content at once, of all pulls together (`max_concurrent_downloads`, a limiter of the transfer service). @default 3 */
  readonly downloadsAtOnce: number;
  /** `concurrent_layer_fetch_buffer`: blobs come in parts of so many bytes, side by side. 0: off. @default 0 */
  readonly fetchBufferBytes: number;
  /** `image_pull_progress_timeout`. 0: no timer. @default 5 min */
  readonly progressTimeoutUs: number;
  /** What the timer counts. `transfer`: bytes that are in the store (2.1 and later); `local`: requests and their bytes (1.7, `use_local_image_pull`). @default 'transfer' */
  readonly pullBy: 'transfer' | 'local';
  /** `dial_timeout` of mirrors in hosts.toml. @default 200 ms, as this project writes it */
  readonly mirrorDialTimeoutUs: number;
  /** @default 30 s, that of containerd's transport */
  readonly upstreamDialTimeoutUs: number;
  /** Mirrors are asked what a tag means (capability `resolve`). @default true */
  readonly mirrorsResolve: boolean;
  /** Of an index, whose manifest is pulled. @default 'linux/amd64' */
  readonly platform: string;
  /** Layers leave the store once they are unpacked (`discard_unpacked_layers`): such a node has nothing for others. @default false */
  readonly discardUnpackedLayers: boolean;
}

export const defaultContainerdOptions: ContainerdOptions = Object.freeze({
  downloadsAtOnce: 3,
  fetchBufferBytes: 0,
  progressTimeoutUs: 300_000_000,
  pullBy: 'transfer',
  mirrorDialTimeoutUs: 200_000,
  upstreamDialTimeoutUs: 30_000_000,
  mirrorsResolve: true,
  platform: 'linux/amd64',
  discardUnpackedLayers: false,
});

/** Reopenings of a cut body that bring not one byte, until the pull fails (`maxRetry` in httpreadseeker.go). */
export const reopeningsMax = 3;
/** A request is sent again to the same host so often at most, for all reasons together (`retryRequest` in resolver.go). */
export const requestsMax = 6;
/** How often the timer of a pull looks (`defaultPullProgressReportInterval`). */
export const progressLookUs = 10_000_000;
/** The copy into the store goes in steps of so many bytes: an ingest grows by them (`bufPool` in core/content/helpers.go). */
export const ingestStepBytes = 1_048_576;
/** Without a lease, garbage is collected so much later: seen with 2.1.9, where a retry within 0.2 s still finds the ingest of before. */
export const collectAfterUs = 200_000;
