import type { ArtifactOptions, ImageOptions } from '../image.ts';
import type { PlacedImage } from '../netns/part-protocol.ts';

/** What a testbed is made of; `testbed/README.md` has a table of them. */
export const driverNames = ['process', 'netns', 'docker', 'kind'] as const;
export type DriverName = (typeof driverNames)[number];

/** What not every driver can do. */
export type Ability =
  /** Nodes have a real containerd: `containerd.restart`, `exec`. */
  | 'containerd'
  /** A mirror that was killed is gone until it is started. */
  | 'stays-dead'
  /** `mirror.freeze`, `mirror.thaw`. */
  | 'freeze'
  /** `links`. */
  | 'links'
  /** `upstream.cut('black-hole')`. */
  | 'black-hole'
  /** A kubelet: `run`, and `kubernetes`. */
  | 'pods';

export interface TestbedOptions {
  readonly driver: DriverName;
  readonly nodes: number;
  /** The topology zones of the nodes, in turn. @default none */
  readonly zones?: readonly string[];
  readonly upstream?: {
    /** What it sends to all together. @default no limit */
    readonly bytesPerSecond?: number;
  };
  /** What the upstream has from the start; names without a registry get the upstream's. */
  readonly images?: readonly ImageOptions[];
  readonly kind?: {
    /** The chart's folder. @default the checkout's */
    readonly chart?: string;
    /** An archive of the chart's image. @default the checkout's, which `npm run image` makes */
    readonly archive?: string;
  };
}

/** Nodes with mirrors that know each other, and an upstream registry: the same for laws whatever it is made of. */
export interface Testbed {
  readonly driver: DriverName;
  /** What it cannot do, and why. Who asks for it all the same is told so. */
  readonly lacks: Readonly<Partial<Record<Ability, string>>>;
  readonly nodes: readonly TestbedNode[];
  readonly upstream: TestbedUpstream;
  /** Those of the options. */
  readonly images: readonly PlacedImage[];
  readonly links: TestbedLinks;
  /** Where there are pods. */
  readonly kubernetes?: TestbedKubernetes;
  /** By its number from 0. Throws if there is none. */
  node(index: number): TestbedNode;
  /** The node's mirror finds all of the image, by tag and by digest. */
  untilFound(node: TestbedNode, image: PlacedImage): Promise<void>;
  /** Ends every fault: the upstream answers at full speed, cables are whole, mirrors run and know each other. */
  mend(): Promise<void>;
  /** Writes logs, metrics and configuration of all nodes into a folder, one folder a node. */
  collect(directory: string): Promise<void>;
  /** Leaves nothing. Idempotent. */
  dispose(): Promise<void>;
}

export interface TestbedNode {
  readonly name: string;
  readonly zone: string | undefined;
  /** The node's mirror as the test process reaches it. */
  readonly registryUrl: string;
  /** Pulls as the kubelet would: by tag, by digest or by both. @default timeoutMs 60000 */
  pull(reference: string, options?: { readonly timeoutMs?: number }): Promise<{ readonly tookMs: number }>;
  /** Every blob of it is in the node's store. */
  holds(image: PlacedImage): Promise<boolean>;
  /** The names in the node's store, sorted. */
  images(): Promise<readonly string[]>;
  /** The bytes of a blob that have come so far, whole or not. */
  receivedBytes(digest: string): Promise<number>;
  readonly mirror: {
    /** As a crash: nothing is withdrawn, bodies in flight are cut. */
    kill(): Promise<void>;
    /** Resolves when it runs and is ready, whoever started it. */
    start(): Promise<void>;
    /** It accepts connections and says nothing. */
    freeze(): Promise<void>;
    thaw(): Promise<void>;
    log(): Promise<string>;
  };
  readonly containerd: { restart(): Promise<void> };
  /** Runs a command on the node to its end: its output. */
  exec(command: readonly string[]): Promise<string>;
  /** Resolves when it runs. Rejects with the kubelet's words when an image cannot be had. */
  run(pod: PodOptions): Promise<RunningPod>;
}

/** A pod of one container, pulled afresh: `imagePullPolicy: Always`. */
export interface PodOptions {
  readonly name: string;
  readonly image: string;
  /** Images whose files are mounted, `volumes[].image`. */
  readonly volumes?: readonly { readonly reference: string; readonly path: string; readonly subPath?: string }[];
  /** @default 90000 */
  readonly timeoutMs?: number;
}

export interface RunningPod {
  readonly name: string;
  /** From its creation until it ran. */
  readonly tookMs: number;
  /** `sha256:...` of a file that the container sees. */
  digestOf(path: string): Promise<string>;
  remove(): Promise<void>;
}

/** The cluster that nodes are part of, and the release of the chart on it. */
export interface TestbedKubernetes {
  readonly kubeconfig: string;
  /** Where the mirrors' DaemonSet is. */
  readonly namespace: string;
  readonly daemonSet: string;
  kubectl(args: readonly string[], options?: { readonly input?: string; readonly timeoutMs?: number }): Promise<string>;
  /** Installs or upgrades the chart, with these values on top of those that the testbed needs; waits until all mirrors are ready. */
  install(values?: object): Promise<void>;
  /** Resolves when the release and what its hooks do is done. */
  uninstall(): Promise<void>;
}

export interface TestbedUpstream {
  /** As images are named: `registry.example:5000`. */
  readonly registry: string;
  /** Generates an image and serves it. A name that was there means the new one from now on. */
  addImage(options: ImageOptions): Promise<PlacedImage>;
  addArtifact(options: ArtifactOptions): Promise<PlacedImage>;
  /** The tag names another image from now on; what it named stays there by its digest. */
  moveTag(image: PlacedImage, to: Omit<ImageOptions, 'name'>): Promise<PlacedImage>;
  /** Bytes of bodies given out since the start or the last reset. */
  bytesServed(): Promise<number>;
  resetCounts(): Promise<void>;
  /** `refused`: RST, to open connections too; `black-hole`: packets vanish. One at a time. */
  cut(how?: 'refused' | 'black-hole'): Promise<void>;
  /** Connections stay, without a byte. */
  stall(): Promise<void>;
  /** Ends what `cut` and `stall` did. */
  restore(): Promise<void>;
  /** Caps what it sends; undefined: no cap. */
  limit(bytesPerSecond: number | undefined): Promise<void>;
}

export interface TestbedLinks {
  /** Caps what the node sends; undefined: no cap. */
  shape(node: TestbedNode, bytesPerSecond: number | undefined): Promise<void>;
  /** Packets to and from the node vanish. */
  cut(node: TestbedNode): Promise<void>;
  restore(node: TestbedNode): Promise<void>;
}

/** What a testbed says when it is asked for what it lacks. */
export function lack(driver: DriverName, lacks: Testbed['lacks'], ability: Ability): () => Promise<never> {
  return () =>
    Promise.reject(new Error(`the ${driver} testbed lacks "${ability}": ${lacks[ability] ?? 'nobody built it'}`));
}
