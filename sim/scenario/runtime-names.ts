import type { ContainerdOptions } from '../containerd/containerd-options.ts';
import type { KubeletOptions } from '../kubelet/kubelet-options.ts';

/** What options of a kubelet and of a containerd are called in a scenario file, and in code. */
export const kubeletNames = {
  serializeImagePulls: 'serializeImagePulls',
  maxParallelImagePulls: 'parallelImagePullsMax',
  registryPullQPS: 'registryPullsPerSecond',
  registryBurst: 'registryBurst',
  backOff: 'backOffUs',
  backOffMax: 'backOffMaxUs',
  sync: 'syncUs',
  sandbox: 'sandboxUs',
  start: 'startUs',
} as const satisfies Readonly<Record<string, keyof KubeletOptions>>;

export const containerdNames = {
  maxConcurrentDownloads: 'downloadsAtOnce',
  concurrentLayerFetchBuffer: 'fetchBufferBytes',
  imagePullProgressTimeout: 'progressTimeoutUs',
  discardUnpackedLayers: 'discardUnpackedLayers',
  pullBy: 'pullBy',
  mirrorDialTimeout: 'mirrorDialTimeoutUs',
  upstreamDialTimeout: 'upstreamDialTimeoutUs',
  mirrorsResolve: 'mirrorsResolve',
  platform: 'platform',
} as const satisfies Readonly<Record<string, keyof ContainerdOptions>>;
