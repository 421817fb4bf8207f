import type { Limits } from '../limits.ts';
import type { Digester } from '../ports/index.ts';
import { canaryImageOf, createCanaryImage } from './canary-image.ts';
import type { CanaryImage } from './canary-image.ts';

/** The canary as this mirror sees it. */
export interface Canary {
  /** The image that a repository of the reserved registry stands for. */
  imageOf(repository: string): CanaryImage | undefined;
  /** A new one, to be pulled: until the next one it is not forgotten, whoever asks for others meanwhile. */
  image(architecture: string, nonce: string): CanaryImage;
  /** How often clients have asked this mirror for that image's manifest: the proof that their containerd uses it. */
  askedFor(nonce: string): number;
  /** One more time; answers how often before. */
  noteAsked(nonce: string): number;
}

export function createCanary(digester: Digester, limits: Pick<Limits, 'canariesRememberedMax'>): Canary {
  const asked = new Map<string, number>();
  let own = { nonce: '', asked: 0 };
  return {
    imageOf: (repository) => canaryImageOf(digester, repository),
    image: (architecture, nonce) => {
      own = { nonce, asked: 0 };
      return createCanaryImage(digester, architecture, nonce);
    },
    askedFor: (nonce) => (nonce === own.nonce ? own.asked : (asked.get(nonce) ?? 0)),
    noteAsked: (nonce) => {
      if (nonce === own.nonce) return own.asked++;
      const before = asked.get(nonce) ?? 0;
      asked.delete(nonce); // The one asked for last is forgotten last.
      asked.set(nonce, before + 1);
      const [oldest] = asked.keys();
      if (asked.size > limits.canariesRememberedMax && oldest !== undefined) asked.delete(oldest);
      return before;
    },
  };
}
