import type { SimContent } from '../content/catalogue.ts';
import type { Party } from '../network/party.ts';
import type { World } from '../run/world.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { isSizeClaimed } from './lies.ts';
import type { SeenExchange } from './seen.ts';

/** Which manifests each mirror has answered: it knows the sizes that stand in them. Of all else it believes the source. */
export class KnownSizes {
  readonly #world: World;
  readonly #isClaimed: boolean;
  /** What a manifest has said is forgotten soon where there is little room for it. */
  readonly #isForgetful: boolean;
  readonly #read = new Map<Party, Set<string>>();

  constructor(scenario: Scenario, world: World) {
    this.#world = world;
    this.#isClaimed = isSizeClaimed(scenario);
    this.#isForgetful = scenario.limits?.sizeMemoryMax !== undefined;
  }

  /** To be told of the end of each exchange. */
  note(exchange: SeenExchange | undefined, how: string): void {
    if (!this.#isClaimed || exchange?.content?.isManifest !== true || how !== 'complete') return;
    if (exchange.method !== 'GET' || exchange.status !== 200) return;
    const read = this.#read.get(exchange.to) ?? new Set<string>();
    this.#read.set(exchange.to, read.add(exchange.content.digest));
  }

  /** Whether a mirror may say that this content has another size than it has: a source says so, and it knows no better. */
  isBelieved(mirror: Party, content: SimContent): boolean {
    if (!this.#isClaimed) return false;
    if (this.#isForgetful) return true;
    const read = this.#read.get(mirror);
    return [...this.#world.images.values()].every(
      ({ config, layers, manifest }) =>
        read?.has(manifest.digest) !== true || (config !== content && !layers.includes(content)),
    );
  }
}
