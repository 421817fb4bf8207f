import { canaryAskedHeader, canaryRegistry, createCanaryImage, judgeCanary } from '../../core/index.ts';
import type { CanaryImage, Clock, Digester, Limits, Random } from '../../core/index.ts';
import { createNonce, pullCanary } from '../../transports/index.ts';
import type { ContainerdApi, CriClient } from '../../transports/index.ts';
import type { CanaryFact } from './facts.ts';
import { hasLayerLabel } from './gather-containerd.ts';
import type { MirrorClient } from './mirror-client.ts';
import { reading } from './reading.ts';

export interface CanaryDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly digester: Digester;
  readonly cri: CriClient;
  readonly api: ContainerdApi;
  readonly client: MirrorClient;
}

/** Has containerd pull an image that only mirrors have, asks the own mirror whether it was asked for it, and looks what containerd kept of it. */
export async function gatherCanary(
  deps: CanaryDeps,
  options: { readonly architecture: string; readonly limits: Limits },
  signal: AbortSignal,
): Promise<CanaryFact> {
  const { clock, cri, digester, random } = deps;
  const image = createCanaryImage(digester, options.architecture, createNonce(random));
  const startedUs = clock.nowUs();
  const pull = await pullCanary(deps, image.reference, options.limits, signal);
  const tookMs = (clock.nowUs() - startedUs) / 1000;
  const keeps = pull.type === 'pulled' ? await keepsLayers(deps, image, signal) : undefined;
  if (pull.type !== 'unreachable') await reading(signal, () => cri.removeImage(image.reference, signal));
  return { ...judgeCanary(pull, await timesAsked(deps, image, signal)), tookMs, keepsLayers: keeps };
}

/** Every mirror answers this; the own one counts who asked it before. */
async function timesAsked({ client }: CanaryDeps, image: CanaryImage, signal: AbortSignal): Promise<number> {
  const path = `/v2/${image.repository}/manifests/${image.manifest.digest}?ns=${canaryRegistry}`;
  const answer = await reading(signal, () => client.registry(path, { method: 'HEAD' }, signal));
  return answer.type === 'read' ? Number(answer.value.headers.get(canaryAskedHeader) ?? 0) : 0;
}

async function keepsLayers({ api }: CanaryDeps, image: CanaryImage, signal: AbortSignal): Promise<boolean | undefined> {
  const manifest = await reading(signal, () => api.content(image.manifest.digest, signal));
  if (manifest.type === 'failed' || manifest.value === undefined) return undefined;
  return hasLayerLabel(manifest.value.labels);
}
