import { PeiliError, withDeadline } from '../../core/index.ts';
import type { Clock, Limits } from '../../core/index.ts';
import type { CriClient } from '../../transports/index.ts';

/**
 * A containerd that hangs takes connections and answers nothing: every call but a pull, whose time is its caller's, has to end. Rejects with
 * `CONTAINERD_UNREACHABLE` then.
 */
export function criInTime(
  { clock, cri }: { readonly clock: Clock; readonly cri: CriClient },
  { containerdCallTimeoutUs }: Pick<Limits, 'containerdCallTimeoutUs'>,
): CriClient {
  const late = (): PeiliError =>
    new PeiliError('CONTAINERD_UNREACHABLE', 'containerd does not answer in time: look at its load and its log');
  const inTime = <T>(signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    withDeadline(clock, containerdCallTimeoutUs, signal, late, call);
  return {
    version: (signal) => inTime(signal, (inner) => cri.version(inner)),
    status: (signal) => inTime(signal, (inner) => cri.status(inner)),
    pullImage: cri.pullImage,
    imageStatus: (reference, signal) => inTime(signal, (inner) => cri.imageStatus(reference, inner)),
    listImages: (signal) => inTime(signal, (inner) => cri.listImages(inner)),
    removeImage: (reference, signal) => inTime(signal, (inner) => cri.removeImage(reference, inner)),
    close: cri.close,
  };
}
