import type { ArtifactOptions, ImageOptions } from '../image.ts';
import type { Descriptor } from '../blob.ts';
import type { FaultRule } from '../fault-proxy.ts';
import type { ProxiedRequest } from '../http-framing.ts';
import type { ContentCount } from '../upstream.ts';

/** An image as it is known outside of the process that serves it: `createImage` with the same options has its bytes. */
export interface PlacedImage {
  /** `registry/repository:tag`. */
  readonly name: string;
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly root: Descriptor;
  /** Everything that belongs to it, by digest. */
  readonly blobs: ReadonlyMap<string, { readonly sizeBytes: number; readonly mediaType: string }>;
}

/** What an upstream in another process is asked: each row is argument and answer. */
export interface UpstreamCalls {
  addImage: { argument: ImageOptions; answer: PlacedImage };
  addArtifact: { argument: ArtifactOptions; answer: PlacedImage };
  removeImage: { argument: string; answer: void };
  counts: { argument: undefined; answer: ReadonlyMap<string, ContentCount> };
  resetCounts: { argument: undefined; answer: void };
  cut: { argument: undefined; answer: void };
  stall: { argument: undefined; answer: void };
  restore: { argument: undefined; answer: void };
}

/** A rule of a fault proxy in another process: which requests meet it is said in patterns. */
export interface NodeFaultRule extends Omit<FaultRule, 'when'> {
  /** Found in the request's method, path and range, `GET /v2/team/app/blobs/sha256:... bytes=0-`: the source of a RegExp. @default all requests */
  readonly request?: string;
}

export interface FaultProxyCalls {
  setRules: { argument: readonly NodeFaultRule[]; answer: void };
  requests: { argument: undefined; answer: readonly ProxiedRequest[] };
  kill: { argument: undefined; answer: void };
}

/** The parts that can be started in a namespace, by name. */
export interface PartCalls {
  upstream: UpstreamCalls;
  'fault-proxy': FaultProxyCalls;
}

export interface PartStart {
  /** Where it listens. */
  readonly host: string;
  readonly port: number;
  /** A proxy's, `http://host:port`. */
  readonly target?: string;
}

export type PartHandlers<Calls> = {
  readonly [Method in keyof Calls]: Calls[Method] extends { argument: infer Argument; answer: infer Answer }
    ? (argument: Argument) => Promise<Answer> | Answer
    : never;
};

/** What passes between the two processes, by structured clone. */
export interface PartRequest {
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}

export type PartReply =
  { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly failure: string };
