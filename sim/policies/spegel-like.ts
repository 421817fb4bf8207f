import type { Policy } from './policy.ts';
import { SpegelMirror } from './spegel-mirror.ts';
import type { SpegelRelease } from './spegel-mirror.ts';
import { SpegelProviders } from './spegel-peers.ts';

/** The mirror that people use today, by the rules of that release. */
export function spegelLike(release: SpegelRelease): Policy {
  return {
    name: `spegelLike-${release}`,
    isOurs: false,
    inWorld: (parts) => {
      const providers = new SpegelProviders();
      return { createMirror: (place) => new SpegelMirror(parts, place, release, providers) };
    },
  };
}
