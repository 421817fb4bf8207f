/** The kubelet's image configuration, and times of its that pods wait for (pkg/kubelet/apis/config, pkg/kubelet/kubelet.go, pkg/kubelet/images). */
export interface KubeletOptions {
  /** `serializeImagePulls`: one image after the other. @default true, as the kubelet's */
  readonly serializeImagePulls: boolean;
  /** `maxParallelImagePulls`, where they are not serialized. @default no limit */
  readonly parallelImagePullsMax: number;
  /** `registryPullQPS`; 0: no limit. @default 5 */
  readonly registryPullsPerSecond: number;
  /** `registryBurst`. @default 10 */
  readonly registryBurst: number;
  /** An image that failed is not tried again before. Doubles each time. @default 10 s (`imageBackOffPeriod`) */
  readonly backOffUs: number;
  /** @default 300 s (`MaxImageBackOff`) */
  readonly backOffMaxUs: number;
  /** A pod that could not be started is looked at again so much later, and up to half of it more. @default 10 s (`backOffPeriod`, jitter factor 0.5) */
  readonly syncUs: number;
  /** From a pod's coming to a node until its sandbox stands: CNI, the pause container. @default 1 s: of the size that kind clusters show, to be calibrated */
  readonly sandboxUs: number;
  /** From an image that is there to a container that runs. @default 300 ms, as above */
  readonly startUs: number;
}

export const defaultKubeletOptions: KubeletOptions = Object.freeze({
  serializeImagePulls: true,
  parallelImagePullsMax: Infinity,
  registryPullsPerSecond: 5,
  registryBurst: 10,
  backOffUs: 10_000_000,
  backOffMaxUs: 300_000_000,
  syncUs: 10_000_000,
  sandboxUs: 1_000_000,
  startUs: 300_000,
});
