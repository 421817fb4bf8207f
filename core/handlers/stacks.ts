import type { Canary } from '../canary/canary.ts';
import type { RegistryFilter } from '../filters/registry-filter.ts';
import type { MirrorMode } from '../ports/index.ts';
import type { RelayDeps } from '../relay/relay-deps.ts';
import type { Stacks } from './answer.ts';
import { canary } from './canary.ts';
import { filter } from './filter.ts';
import type { Handler } from './handler.ts';
import type { UploadLimit } from './limit-uploads.ts';
import type { LocalDeps } from './local-deps.ts';
import { local } from './local.ts';
import { notFound } from './not-found.ts';
import { relay } from './relay.ts';
import { switched } from './switched.ts';
import { verify } from './verify.ts';
import type { Suspicion } from '../verification/suspicion.ts';
import type { BlobVerification } from './verify.ts';

export type StackDeps = LocalDeps & RelayDeps;

export interface StackOptions {
  readonly canary: Canary;
  readonly filter: RegistryFilter;
  readonly mode: () => MirrorMode;
  readonly uploads: UploadLimit;
  readonly blobVerification: BlobVerification;
}

/** A client's way for whoever measures it: asking again for what a client was just given puts no source under suspicion. */
export interface MeasuredStacks {
  readonly measured: Handler;
  /** Without this node's own content: what its peers would give. */
  readonly measuredPeers: Handler;
}

/** The way of a request: a client's through this node and then its peers, a mirror's through this node alone (contract L12). */
export function createStacks(deps: StackDeps, options: StackOptions): Stacks & MeasuredStacks {
  const { mode } = options;
  const filtering = { filter: options.filter };
  const measuring = { ...deps, suspicion: unsuspecting };
  return {
    // The canary in front: what proves that containerd asks this mirror goes on while it is switched off.
    clients: canary(
      switched(
        filter(verify(local(relay(notFound, deps), deps), deps, options.blobVerification), filtering),
        () => mode() === 'on',
      ),
      options,
    ),
    measured: filter(local(relay(notFound, measuring), measuring), filtering),
    measuredPeers: filter(relay(notFound, measuring), filtering),
    mirrors: options.uploads.handler(switched(filter(local(notFound, deps), filtering), () => mode() !== 'off')),
  };
}

const nobody: ReadonlySet<string> = new Set();
const unsuspecting: Suspicion = Object.freeze({ delivered: () => undefined, suspects: () => nobody });
