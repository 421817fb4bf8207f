import type { CanaryOutcome } from '../../core/index.ts';
import type { Reading } from './check.ts';
import type { ContainerdConfig, ContainerdVersion } from './containerd-config.ts';

/** What verify is told of the node. */
export interface Expectations {
  readonly socket: string;
  /** Where hosts.toml files are. */
  readonly registryConfigPath: string;
  /** `http://127.0.0.1:5000`. */
  readonly registryUrl: string;
  readonly metricsUrl: string;
  /** Other members that there ought to be at least. */
  readonly membersMin: number;
}

/** What was seen of the node; the checks are judged from it alone. */
export interface Facts {
  readonly containerd: Reading<ContainerdFact>;
  readonly config: Reading<ContainerdConfig>;
  /** Of the manifests in the store: how many have all their layers in containerd's keeping, and how many none. */
  readonly layers: Reading<LayersFact>;
  readonly content: Reading<ContentFact>;
  readonly hosts: Reading<readonly HostsFile[]>;
  /** The status of `/v2/`. */
  readonly mirror: Reading<number>;
  readonly ready: Reading<{ readonly status: number; readonly reason: string }>;
  readonly members: Reading<{ readonly total: number; readonly connected: number; readonly mode: string }>;
  /** Undefined: nobody wanted it, or there was nothing to pull it with or from. */
  readonly canary: CanaryFact | undefined;
  readonly image: Reading<ImageFact> | undefined;
}

export interface ContainerdFact {
  readonly runtime: string;
  readonly version: string;
  readonly number: ContainerdVersion | undefined;
}

export interface LayersFact {
  readonly kept: number;
  readonly gone: number;
}

/** The directory that has containerd's blobs. */
export interface ContentFact {
  readonly path: string;
  /** Undefined: blobs can be read from it. */
  readonly unreadable: string | undefined;
  /** containerd has none yet, and so no directory either. */
  readonly isEmpty: boolean;
}

export interface HostsFile {
  /** The directory's name: `docker.io`, `_default`. */
  readonly registry: string;
  /** The URLs of its hosts, in order; or what is wrong with it. */
  readonly hosts: Reading<readonly string[]>;
}

export interface CanaryFact {
  readonly outcome: CanaryOutcome;
  readonly reason: string;
  /** What containerd said, where the pull failed. */
  readonly cause?: string;
  readonly tookMs: number;
  /** Whether its layer is kept in the content store after unpacking; undefined: it cannot be told. */
  readonly keepsLayers: boolean | undefined;
}

/** An image, pulled from the own mirror and discarded. */
export interface ImageFact {
  readonly reference: string;
  readonly objects: readonly ImageObject[];
}

export interface ObjectSource {
  /** A member's id, or `local`. */
  readonly source: string;
  readonly address: string | undefined;
  readonly bytes: number;
}

export interface ImageObject {
  readonly kind: 'index' | 'manifest' | 'config' | 'layer';
  readonly digest: string;
  readonly status: number;
  readonly bytes: number;
  readonly tookMs: number;
  /** Whom the bytes came from; undefined: the mirror does not say. */
  readonly sources: readonly ObjectSource[] | undefined;
  /** Why it is not whole: the code of the mirror's error, or what cut it. */
  readonly failure: string | undefined;
}
