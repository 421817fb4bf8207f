import { onAbort } from '../../../core/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Party } from '../../network/party.ts';

/** Somebody who waits for a holder. */
interface Waiter {
  readonly digest: string;
  readonly party: Party;
  readonly resolve: (found: Upload | 'upstream' | undefined) => void;
}

/** A holder whose cable is the asker's alone until `end`. */
export interface Upload {
  readonly holder: Party;
  end(): void;
}

/** Who was sent upstream for all others and has not come back after so long has failed. */
const leadUs = 600_000_000;

/** Knows at once and for nothing what all nodes hold, and has each holder upload to one node at a time, each node download from one. */
export class UploadPlan {
  readonly #kernel: Kernel;
  readonly #holders = new Map<string, Set<Party>>();
  readonly #leaders = new Map<string, { readonly party: Party; readonly untilUs: number }>();
  readonly #uploading = new Set<Party>();
  readonly #downloading = new Set<Party>();
  #waiting: Waiter[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  holdersOf(digest: string): readonly Party[] {
    return [...(this.#holders.get(digest) ?? [])].filter(canGive);
  }

  add(digest: string, party: Party): void {
    const holders = this.#holders.get(digest) ?? new Set<Party>();
    this.#holders.set(digest, holders.add(party));
    this.#leaders.delete(digest);
    this.#match();
  }

  remove(digest: string, party: Party): void {
    this.#holders.get(digest)?.delete(party);
  }

  /** The program is gone, and what it led is led by another one. */
  forget(party: Party): void {
    for (const holders of this.#holders.values()) holders.delete(party);
    for (const [digest, leader] of this.#leaders) if (leader.party === party) this.#leaders.delete(digest);
    this.#uploading.delete(party);
    this.#downloading.delete(party);
    this.#waiting = this.#waiting.filter((waiter) => waiter.party !== party);
    this.#match();
  }

  /** `upstream`: nobody has it, and this one gets it for all. Undefined: no longer wanted. */
  ask(digest: string, party: Party, signal: AbortSignal): Promise<Upload | 'upstream' | undefined> {
    return new Promise((resolve) => {
      const waiter: Waiter = { digest, party, resolve };
      this.#waiting.push(waiter);
      onAbort(signal, () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        resolve(undefined);
      });
      this.#match();
    });
  }

  #match(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) if (!this.#serve(waiter)) this.#waiting.push(waiter);
  }

  #serve({ digest, party, resolve }: Waiter): boolean {
    const holders = this.holdersOf(digest);
    if (holders.length === 0) return this.#lead(digest, party, resolve);
    if (this.#downloading.has(party)) return false;
    const free = holders.filter((holder) => !this.#uploading.has(holder) && holder !== party);
    const holder = free.find(({ host }) => host.zone === party.host.zone) ?? free[0];
    if (holder === undefined) return false;
    this.#uploading.add(holder);
    this.#downloading.add(party);
    let isOver = false;
    resolve({
      holder,
      end: () => {
        if (isOver) return;
        isOver = true;
        this.#uploading.delete(holder);
        this.#downloading.delete(party);
        this.#match();
      },
    });
    return true;
  }

  #lead(digest: string, party: Party, resolve: Waiter['resolve']): boolean {
    const leader = this.#leaders.get(digest);
    const nowUs = this.#kernel.nowUs();
    if (leader !== undefined && leader.party !== party && leader.untilUs > nowUs) return false;
    this.#leaders.set(digest, { party, untilUs: nowUs + leadUs });
    resolve('upstream');
    return true;
  }
}

function canGive({ host, life }: Party): boolean {
  return !life.isOver && !life.isPaused && host.isPlugged;
}
