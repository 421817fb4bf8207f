import type { Limits, Random } from '../../core/index.ts';
import type { Life } from '../kernel/life.ts';
import type { Directory, Seat } from './directory.ts';

export interface DiscoveryOptions {
  readonly limits: Limits;
  /** It has been up for long: it asks now and then, not at once. */
  readonly isSettled: boolean;
}

/** Strangers dialled in one round. */
const strangersMax = 16;
/** What the cluster's DNS takes. */
const namesUs = 1_000;

/** How a mirror comes to know others: names are resolved at start, again while it is alone, and now and then; members tell of members. */
export class Discovery {
  readonly #directory: Directory;
  readonly #seat: Seat;
  readonly #life: Life;
  readonly #random: Random;
  readonly #options: DiscoveryOptions;
  #retryUs: number;
  #gossipUs: number;

  constructor(directory: Directory, seat: Seat, random: Random, options: DiscoveryOptions) {
    this.#directory = directory;
    this.#seat = seat;
    this.#life = seat.party.life;
    this.#random = random;
    this.#options = options;
    const { bootstrapRetryMinUs, dnsIntervalUs } = options.limits;
    this.#retryUs = bootstrapRetryMinUs;
    this.#gossipUs = options.isSettled ? dnsIntervalUs : bootstrapRetryMinUs;
  }

  start(): void {
    const { isSettled, limits } = this.#options;
    this.#later(isSettled ? this.#jittered(limits.dnsIntervalUs) : namesUs, () => {
      this.#round();
    });
    this.#later(this.#jittered(this.#gossipUs), () => {
      this.#gossip();
    });
  }

  #round(): void {
    const { names, kernel } = this.#directory;
    const { view, self } = this.#seat;
    const listed = names.resolve(self.id, kernel.nowUs());
    if (listed !== undefined) {
      const strangers = listed.filter((id) => id !== self.id && view.get(id) === undefined);
      for (const id of this.#sample(strangers)) this.#visit(id);
      this.#forgetVanished(new Set(listed));
    }
    const isAlone = view.size === 0;
    const { bootstrapRetryMaxUs, bootstrapRetryMinUs, dnsIntervalUs } = this.#options.limits;
    const delayUs = isAlone ? this.#retryUs : this.#jittered(dnsIntervalUs);
    this.#retryUs = isAlone ? Math.min(2 * this.#retryUs, bootstrapRetryMaxUs) : bootstrapRetryMinUs;
    this.#later(delayUs + namesUs, () => {
      this.#round();
    });
  }

  /** Who cannot be reached and is no longer listed is gone. */
  #forgetVanished(listed: ReadonlySet<string>): void {
    const { links } = this.#directory;
    const seat = this.#seat;
    for (const { id } of seat.view.members()) {
      if (!listed.has(id) && !links.isOpen(seat, id) && links.isFailing(seat, id)) this.#directory.forget(seat, id);
    }
  }

  #visit(id: string): void {
    this.#directory.links.connect(this.#seat, id, false, (link) => {
      if (link !== undefined) this.#ask(id);
    });
  }

  #gossip(): void {
    const { links } = this.#directory;
    const seat = this.#seat;
    const met = seat.view.members().filter(({ id }) => !seat.hinted.has(id) && !links.isFailing(seat, id));
    const connected = met.filter(({ id }) => links.isOpen(seat, id));
    const partners = connected.length > 0 ? connected : met;
    const partner = partners.length === 0 ? undefined : partners[this.#random.below(partners.length)];
    if (partner !== undefined) this.#visit(partner.id);
    this.#gossipUs = Math.min(2 * this.#gossipUs, this.#options.limits.dnsIntervalUs);
    this.#later(this.#jittered(this.#gossipUs), () => {
      this.#gossip();
    });
  }

  /** Whom does it know? All of them are hints. */
  #ask(id: string): void {
    const directory = this.#directory;
    const target = directory.find(id);
    if (target === undefined) return;
    const latencyUs = directory.options.latencyUs(this.#seat.party.host, target.party.host);
    this.#later(latencyUs, () => {
      const { host, life } = target.party;
      if (!directory.options.passage.isOpen(this.#seat.party.host, host) || life.isOver || life.isPaused) return;
      const told = target.view.members().filter((member) => !target.hinted.has(member.id));
      const worthTelling = told.filter((member) => !directory.links.isFailing(target, member.id));
      this.#later(latencyUs, () => {
        for (const member of worthTelling) directory.hint(this.#seat, member);
      });
    });
  }

  /** Unless the program is gone by then. Not one of the mirror's own timers, which are counted. */
  #later(delayUs: number, callback: () => void): void {
    this.#directory.kernel.schedule(delayUs, () => {
      this.#life.run(callback);
    });
  }

  /** Between half and one and a half of it. */
  #jittered(delayUs: number): number {
    return Math.floor(delayUs / 2) + this.#random.below(delayUs);
  }

  #sample(ids: readonly string[]): string[] {
    const rest = [...ids];
    const sample: string[] = [];
    while (sample.length < strangersMax && rest.length > 0) {
      sample.push(...rest.splice(this.#random.below(rest.length), 1));
    }
    return sample;
  }
}
