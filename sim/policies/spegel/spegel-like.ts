import type { Policy } from '../policy.ts';
import { SpegelMirror } from './spegel-mirror.ts';
import type { SpegelRelease } from './spegel-release.ts';

/** The mirror that people use today, by the rules of that release. */
export function spegelLike(release: SpegelRelease): Policy {
  return {
    name: `spegelLike-${release}`,
    isOurs: false,
    inWorld: (parts) => ({ createMirror: (place) => new SpegelMirror(parts, place, release, parts.providers()) }),
  };
}
