import type { BlobVerification, Limits } from '../../core/index.ts';
import type { RuntimeSpec } from '../containerd/create-runtime.ts';
import type { Fault } from '../faults/fault.ts';
import type { KubeletOptions } from '../kubelet/kubelet-options.ts';
import type { UpstreamSpec } from '../upstream/upstream-spec.ts';

/** A cluster, what is to happen in it, and what goes wrong meanwhile: a value, that is run, printed, drawn and shrunk. */
export interface Scenario {
  readonly name: string;
  /** What it is to show, in one sentence. */
  readonly shows: string;
  readonly cluster: ClusterSpec;
  readonly upstream: UpstreamSpec;
  readonly images: readonly ImageSpec[];
  readonly workload: readonly PullSpec[];
  /** Pods that come to nodes: their kubelets pull. @default none */
  readonly pods?: readonly PodSpec[];
  readonly faults: readonly Fault[];
  /** What clients ask their node's mirror that are no containerd: a curl, crane, another runtime. @default nothing */
  readonly asks?: readonly AskSpec[];
  /** Bounds of the mirrors that are not the defaults. */
  readonly limits?: Partial<Limits>;
  /** How the mirrors are configured. @default as when nothing is said */
  readonly mirror?: MirrorSpec;
  /** Mirrors are made to behave rarely where they may (`buggify`), in so many of 64 cases. @default 0 */
  readonly buggifyIn64?: number;
  /** Which of the events that are due at the same time change places (`KernelOptions.swaps`). @default none */
  readonly swaps?: readonly number[];
  /** From one moment on nothing goes wrong in a part of the cluster: what the faults are like then, they say themselves. @default nothing is said */
  readonly heal?: HealSpec;
  /** The run ends here, whatever is still under way. Microseconds. */
  readonly untilUs: number;
}

/** A core of nodes that is well from then on, and the upstream with it. */
export interface HealSpec {
  readonly atUs: number;
  /** Indices of its nodes. */
  readonly core: readonly number[];
}

export interface ClusterSpec extends RuntimeSpec {
  /** Named `n0`, `n1`, ... */
  readonly nodes: number;
  /** Nodes are spread over so many zones in turn: `z0`, `z1`, ... */
  readonly zones: number;
  /** The zone of each node by its index, where they are not spread in turn. */
  readonly zoneOf?: readonly string[];
  /** The name of each node by its index, where it is another one. */
  readonly nameOf?: readonly string[];
  readonly upBytesPerSecond: number;
  readonly downBytesPerSecond: number;
  /** One way inside a zone, and between two. */
  readonly latencyUs: number;
  readonly zoneLatencyUs: number;
  /** What a mirror can push through its processor. */
  readonly mirrorBytesPerSecond: number;
  /** What is configured otherwise than by default. */
  readonly kubelet?: Partial<KubeletOptions>;
  /** All that goes from one zone to another, for each two of them and each way. @default no cap */
  readonly zoneBytesPerSecond?: number;
  /** Nodes that are not like the others. @default none */
  readonly uneven?: readonly UnevenNode[];
  /** Members that a mirror knows, where there are more. @default 128 */
  readonly knownMax?: number;
}

/** What of a node is different. */
export interface UnevenNode {
  /** Its index. */
  readonly node: number;
  readonly upBytesPerSecond?: number;
  readonly downBytesPerSecond?: number;
  readonly mirrorBytesPerSecond?: number;
}

export interface ImageSpec {
  /** `registry/repository:tag`. */
  readonly name: string;
  readonly layerBytes: readonly number[];
  /** When its tag comes to mean other content, of the same sizes, at the registry. Microseconds, in order. @default never */
  readonly movesAtUs?: readonly number[];
  /** By their place: layers with the same label are the same content, whichever image they are of. @default all its own */
  readonly layerLabels?: readonly string[];
  /** More than one: the tag means an index, and the first one is what nodes pull. @default none */
  readonly platforms?: readonly string[];
}

export interface PullSpec {
  /** Since the beginning, or since the end of the pull that it comes after. */
  readonly atUs: number;
  /** Later by up to so much, drawn for each run. */
  readonly jitterUs?: number;
  /** Index in the workload of the pull that has to end before this one begins. */
  readonly after?: number;
  /** Index of the node. */
  readonly node: number;
  /** Name of the image. */
  readonly image: string;
  /** After a failure it is tried again a second later, so often. @default 0 */
  readonly retries?: number;
}

/** One pod on one node. */
export interface PodSpec {
  readonly atUs: number;
  /** Index of the node. */
  readonly node: number;
  /** Names of the images of its containers, in their order. */
  readonly images: readonly string[];
  /** @default 'IfNotPresent' */
  readonly pullPolicy?: 'IfNotPresent' | 'Always';
}

/** One request to the mirror of a node. */
export interface AskSpec {
  readonly atUs: number;
  /** Index of the node. */
  readonly node: number;
  /** Name of the image. */
  readonly image: string;
  /** The manifest by its tag or by its digest, the config, or a layer by its index. */
  readonly what: 'tag' | 'manifest' | 'config' | number;
  /** @default 'GET' */
  readonly method?: 'GET' | 'HEAD';
  /** The Range field, `bytes=-100`. */
  readonly range?: string;
  /** It takes no more than so many bytes a second. @default as fast as they come */
  readonly bytesPerSecond?: number;
  /** It hangs up after so many bytes. */
  readonly bytesMax?: number;
  /** It hangs up after so long, whatever has come. Microseconds. */
  readonly patienceUs?: number;
}

/** Options of the mirror, as `peili registry` takes them. */
export interface MirrorSpec {
  readonly registryFilters?: readonly string[];
  readonly mirroredRegistries?: readonly string[];
  readonly blobsOnlyRegistries?: readonly string[];
  readonly blobVerification?: BlobVerification;
  readonly tagMaxAgeUs?: number;
}
