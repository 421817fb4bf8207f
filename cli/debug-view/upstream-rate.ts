import type { Limits } from '../../core/index.ts';
import { unionUs } from './busy-time.ts';

/** How fast the upstream is, without asking it: what nobody had was answered 404, and appears in the store once containerd has it from there. */
export interface UpstreamRate {
  /** The client was answered 404 for this blob. */
  missed(digest: string): void;
  /** It is in the store now; how long that took, if it had been missed. */
  arrived(digest: string, sizeBytes: number): { readonly tookUs: number } | undefined;
  /** Undefined until something large enough to mean something has arrived. */
  measured(): { readonly bytesPerSecond: number; readonly blobs: number; readonly bytes: number } | undefined;
}

type Bounds = Pick<Limits, 'upstreamMissesMax' | 'upstreamSamplesMax' | 'upstreamSampleMinBytes'>;

export function createUpstreamRate(nowUs: () => number, limits: Bounds): UpstreamRate {
  const missedAtUs = new Map<string, number>();
  const samples: { readonly fromUs: number; readonly toUs: number; readonly bytes: number }[] = [];
  return {
    missed: (digest) => {
      missedAtUs.delete(digest);
      missedAtUs.set(digest, nowUs());
      const [oldest] = missedAtUs.keys();
      if (missedAtUs.size > limits.upstreamMissesMax && oldest !== undefined) missedAtUs.delete(oldest);
    },
    arrived: (digest, sizeBytes) => {
      const fromUs = missedAtUs.get(digest);
      if (fromUs === undefined) return undefined;
      missedAtUs.delete(digest);
      const toUs = nowUs();
      if (sizeBytes >= limits.upstreamSampleMinBytes && toUs > fromUs) {
        samples.push({ fromUs, toUs, bytes: sizeBytes });
        if (samples.length > limits.upstreamSamplesMax) samples.shift();
      }
      return { tookUs: toUs - fromUs };
    },
    measured: () => {
      const tookUs = unionUs(samples);
      if (tookUs === 0) return undefined;
      const bytes = samples.reduce((sum, sample) => sum + sample.bytes, 0);
      return { bytesPerSecond: (bytes * 1e6) / tookUs, blobs: samples.length, bytes };
    },
  };
}
