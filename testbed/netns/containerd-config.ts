/** What a node's containerd is told, beyond its places. Names as in containerd's own configuration. */
export interface ContainerdOptions {
  /** @default `containerd` on PATH: Debian testing's, where `npm run e2e` brings it */
  readonly program?: string;
  /** The configuration's format: 3 from containerd 2.0 on, 2 for 1.x. @default 3 */
  readonly configVersion?: 2 | 3;
  /** Bytes of a chunk of the parallel download of one layer (2.1 and later). @default 0: one stream */
  readonly concurrentLayerFetchBufferBytes?: number;
  /** Layers at once; with a fetch buffer also chunks at once. @default 3, as containerd's */
  readonly maxConcurrentDownloads?: number;
  /** @default false, as a mirror needs it */
  readonly discardUnpackedLayers?: boolean;
  /** @default /etc/containerd/certs.d; empty: none */
  readonly configPath?: string;
  /** One timer for the whole image. @default 5m0s, as containerd's */
  readonly imagePullProgressTimeout?: string;
  /** Added as it is, at the end: further tables. */
  readonly extraToml?: string;
}

/** `/etc/containerd/config.toml`, with containerd's default places. */
export function containerdConfig(options: ContainerdOptions): string {
  const {
    configVersion = 3,
    concurrentLayerFetchBufferBytes = 0,
    maxConcurrentDownloads = 3,
    discardUnpackedLayers = false,
    configPath = '/etc/containerd/certs.d',
    imagePullProgressTimeout = '5m0s',
    extraToml = '',
  } = options;
  // In 2.x images have a plugin of their own; in 1.x they are a part of CRI.
  const images = configVersion === 3 ? 'io.containerd.cri.v1.images' : 'io.containerd.grpc.v1.cri';
  const snapshots = configVersion === 3 ? [] : [`[plugins.'${images}'.containerd]`];
  const buffer =
    concurrentLayerFetchBufferBytes === 0 ? [] : [`concurrent_layer_fetch_buffer = ${concurrentLayerFetchBufferBytes}`];
  return [
    `version = ${configVersion}`,
    // They want kernels, devices or networks that a node here does not have.
    `disabled_plugins = ['io.containerd.snapshotter.v1.devmapper', 'io.containerd.snapshotter.v1.zfs', 'io.containerd.snapshotter.v1.btrfs', 'io.containerd.internal.v1.tracing', 'io.containerd.nri.v1.nri']`,
    `[plugins.'${images}']`,
    `max_concurrent_downloads = ${maxConcurrentDownloads}`,
    `image_pull_progress_timeout = '${imagePullProgressTimeout}'`,
    ...buffer,
    ...snapshots,
    `discard_unpacked_layers = ${discardUnpackedLayers}`,
    `[plugins.'${images}'.registry]`,
    `config_path = '${configPath}'`,
    extraToml,
    '',
  ].join('\n');
}
