import type { Clock, ContentInfo, StoreChange, StoreListing, TagEntry, Timer } from '../../core/index.ts';
import type { SimRandom } from '../kernel/random.ts';

/** What goes wrong between containerd and who follows it. All of it is allowed by the port: what is missed for good is said to be. */
export type EventFault =
  /** Changes are not told one by one: there may have been some. */
  | { readonly kind: 'gap' }
  /** Each is told twice. */
  | { readonly kind: 'duplicate' }
  /** They are noticed so much later, and told in any order. */
  | { readonly kind: 'reorder'; readonly delayUs: number; readonly random: SimRandom }
  | { readonly kind: 'delay'; readonly delayUs: number }
  /** None comes: what has changed is seen when all is listed again, once a minute. */
  | { readonly kind: 'lost' };

/** What containerd has now. */
export interface StoreTruth {
  info(digest: string): ContentInfo | undefined;
  tag(reference: string): TagEntry | undefined;
}

/** `transports/containerd` lists everything so often, whatever it was told. */
export const reconcileUs = 60_000_000;

/**
 * What a mirror knows of its node's store: it is told that something has changed, and looks a moment later. Between the two it knows the old: content that
 * is there and not served yet, or served no longer though it is said to be there.
 */
export class StoreView {
  readonly #clock: Pick<Clock, 'schedule'> & { readonly nowUs?: () => number };
  readonly #truth: StoreTruth;
  readonly #noticedUs: number;
  readonly #infos = new Map<string, ContentInfo>();
  readonly #tags = new Map<string, TagEntry>();
  readonly #listeners = new Set<(change: StoreChange) => void>();
  readonly #touched = new Set<string>();
  readonly #touchedTags = new Set<string>();
  #turn: Timer | undefined;
  #fault: EventFault | undefined;

  /** `noticedUs` 0: it sees all at once. */
  constructor(clock: Pick<Clock, 'schedule'>, truth: StoreTruth, noticedUs: number) {
    this.#clock = clock;
    this.#truth = truth;
    this.#noticedUs = noticedUs;
  }

  info(digest: string): ContentInfo | undefined {
    return this.#infos.get(digest);
  }

  tag(reference: string): TagEntry | undefined {
    const tag = this.#tags.get(reference);
    return tag !== undefined && this.#infos.has(tag.digest) ? tag : undefined;
  }

  listing(): StoreListing {
    return {
      contents: [...this.#infos.values()],
      tags: [...this.#tags.values()].filter(({ digest }) => this.#infos.has(digest)),
    };
  }

  watch(listener: (change: StoreChange) => void): () => void {
    const own = (change: StoreChange): void => {
      listener(change);
    };
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Who watched is gone, without a farewell. */
  forgetListeners(): void {
    this.#listeners.clear();
  }

  /** Undefined: nothing goes wrong any more; what was held back is seen soon. */
  disturb(fault: EventFault | undefined): void {
    this.#fault = fault;
    if (this.#turn === undefined) return;
    this.#turn.cancel();
    this.#turn = undefined;
    this.#plan();
  }

  touch(digest: string): void {
    this.#touched.add(digest);
    this.#plan();
  }

  touchTag(reference: string): void {
    this.#touchedTags.add(reference);
    this.#plan();
  }

  #plan(): void {
    const fault = this.#fault;
    if (this.#noticedUs === 0 && fault === undefined) this.#look();
    else this.#turn ??= this.#clock.schedule(this.#lookUs(fault), this.#look);
  }

  #lookUs(fault: EventFault | undefined): number {
    if (fault?.kind === 'lost') return reconcileUs;
    return this.#noticedUs + (fault !== undefined && 'delayUs' in fault ? fault.delayUs : 0);
  }

  readonly #look = (): void => {
    this.#turn = undefined;
    const changes = [...this.#contentChanges(), ...this.#tagChanges()];
    this.#touched.clear();
    this.#touchedTags.clear();
    const fault = this.#fault;
    if (changes.length === 0) return;
    if (fault?.kind === 'gap') {
      this.#tell({ type: 'gap', reason: 'changes were missed' });
      return;
    }
    if (fault?.kind === 'reorder') shuffle(changes, fault.random);
    for (const change of changes) {
      this.#tell(change);
      if (fault?.kind === 'duplicate') this.#tell(change);
    }
  };

  #contentChanges(): readonly StoreChange[] {
    const changes: StoreChange[] = [];
    for (const digest of this.#touched) {
      const content = this.#truth.info(digest);
      if (content === this.#infos.get(digest)) continue;
      if (content === undefined) {
        this.#infos.delete(digest);
        changes.push({ type: 'content-removed', digest });
      } else {
        this.#infos.set(digest, content);
        changes.push({ type: 'content-added', content });
      }
    }
    return changes;
  }

  #tagChanges(): readonly StoreChange[] {
    const changes: StoreChange[] = [];
    for (const reference of this.#touchedTags) {
      const tag = this.#truth.tag(reference);
      if (tag === this.#tags.get(reference)) continue;
      if (tag === undefined) {
        this.#tags.delete(reference);
        changes.push({ type: 'tag-removed', reference });
      } else {
        this.#tags.set(reference, tag);
        changes.push({ type: 'tag-set', tag });
      }
    }
    return changes;
  }

  #tell(change: StoreChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function shuffle(changes: StoreChange[], random: SimRandom): void {
  for (let index = changes.length - 1; index > 0; index -= 1) {
    const other = random.between(0, index);
    const [one, two] = [changes[index], changes[other]];
    if (one === undefined || two === undefined) continue;
    changes[index] = two;
    changes[other] = one;
  }
}
