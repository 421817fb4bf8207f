import { canaryRegistry, errorCodeOf, PeiliError, reasonOf, throwIfAborted, withDeadline } from '../../core/index.ts';
import type { CanaryPull, Clock, Limits, Random } from '../../core/index.ts';
import type { CriClient } from '../containerd/cri.ts';

export interface CanaryPullDeps {
  readonly clock: Clock;
  readonly cri: Pick<CriClient, 'pullImage'>;
}

const nonceLength = 20;

/** What makes an image that nobody has pulled before. */
export function createNonce(random: Random): string {
  return Array.from({ length: nonceLength }, () => random.below(36).toString(36)).join('');
}

/** Has containerd pull a canary. Rejects only with the reason of `signal`. */
export async function pullCanary(
  { clock, cri }: CanaryPullDeps,
  reference: string,
  limits: Pick<Limits, 'canaryTimeoutUs'>,
  signal: AbortSignal,
): Promise<CanaryPull> {
  const late = new PeiliError('CONTAINERD_FAILED', 'the pull did not end in time');
  try {
    await withDeadline(
      clock,
      limits.canaryTimeoutUs,
      signal,
      () => late,
      (inner) => cri.pullImage(reference, inner),
    );
    return { type: 'pulled' };
  } catch (error) {
    throwIfAborted(signal);
    if (error === late) return { type: 'timeout' };
    const reason = causeOf(error instanceof PeiliError ? error.message : reasonOf(error));
    return { type: errorCodeOf(error) === 'CONTAINERD_UNREACHABLE' ? 'unreachable' : 'failed', reason };
  }
}

/** What containerd says at the end: before it stands, quoted, what was asked for and how often. */
function causeOf(message: string): string {
  return /^.*": (.+)$/s.exec(message)?.[1] ?? message;
}

/** Removes every canary that containerd has: those of a run that was killed before it could. */
export async function removeCanaries(
  cri: Pick<CriClient, 'listImages' | 'removeImage'>,
  signal: AbortSignal,
): Promise<void> {
  const isCanary = (name: string): boolean => name.startsWith(`${canaryRegistry}/`);
  for (const { id, repoDigests, repoTags } of await cri.listImages(signal)) {
    const names = [...repoTags, ...repoDigests];
    if (names.length > 0 && names.every(isCanary)) await cri.removeImage(id, signal);
  }
}
