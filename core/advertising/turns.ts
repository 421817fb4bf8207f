import type { Clock, Timer } from '../ports/index.ts';
import type { Dialogue } from './dialogue.ts';

/**
 * Whose turn it is: at most `atOnceMax` members are spoken to at a time, one turn a member, changes before repetitions. Members that failed last time
 * have a quarter of the places, so that dead ones keep nobody waiting. One timer for all.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #atOnceMax: number;
  readonly #dialogues: ReadonlyMap<string, Dialogue>;
  readonly #speak: (dialogue: Dialogue) => Promise<void>;
  readonly #ready: Readonly<Record<'changes' | 'repetitions' | 'probes', Set<Dialogue>>>;
  #speaking = 0;
  #probing = 0;
  #timer: Timer | undefined;
  #wakeAtUs = Infinity;
  #isDisposed = false;

  /** `speak` never rejects. */
  constructor(
    clock: Clock,
    atOnceMax: number,
    dialogues: ReadonlyMap<string, Dialogue>,
    speak: (dialogue: Dialogue) => Promise<void>,
  ) {
    this.#clock = clock;
    this.#atOnceMax = atOnceMax;
    this.#dialogues = dialogues;
    this.#speak = speak;
    this.#ready = { changes: new Set(), repetitions: new Set(), probes: new Set() };
  }

  /** Has the member spoken to when it is due: at once if a place is free. */
  add(dialogue: Dialogue): void {
    if (this.#isDisposed) return;
    this.#queue(dialogue, this.#clock.nowUs());
    this.#pump();
  }

  remove(dialogue: Dialogue): void {
    const { changes, repetitions, probes } = this.#ready;
    changes.delete(dialogue);
    repetitions.delete(dialogue);
    probes.delete(dialogue);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const ready of Object.values(this.#ready)) ready.clear();
  }

  #queue(dialogue: Dialogue, nowUs: number): void {
    const dueAtUs = dialogue.dueAtUs();
    if (dueAtUs > nowUs) {
      this.#wakeAt(dueAtUs);
      return;
    }
    this.remove(dialogue);
    const kind = dialogue.isAway ? 'probes' : dialogue.hasChanged ? 'changes' : 'repetitions';
    this.#ready[kind].add(dialogue);
  }

  #pump(): void {
    for (let next = this.#take(); next !== undefined; next = this.#take()) this.#begin(next);
  }

  #take(): Dialogue | undefined {
    if (this.#isDisposed || this.#speaking >= this.#atOnceMax) return undefined;
    const { changes, repetitions, probes } = this.#ready;
    const mayProbe = this.#probing < Math.max(1, Math.floor(this.#atOnceMax / 4));
    for (const ready of mayProbe ? [changes, repetitions, probes] : [changes, repetitions]) {
      const next = ready.values().next();
      if (next.done === true) continue;
      ready.delete(next.value);
      return next.value;
    }
    return undefined;
  }

  #begin(dialogue: Dialogue): void {
    const isProbe = dialogue.isAway;
    this.#speaking += 1;
    if (isProbe) this.#probing += 1;
    dialogue.isSending = true;
    void this.#speak(dialogue).then(() => {
      this.#end(dialogue, isProbe);
    });
  }

  #end(dialogue: Dialogue, isProbe: boolean): void {
    dialogue.isSending = false;
    this.#speaking -= 1;
    if (isProbe) this.#probing -= 1;
    if (this.#isDisposed) return;
    if (this.#dialogues.get(dialogue.member.id) === dialogue) this.#queue(dialogue, this.#clock.nowUs());
    this.#pump();
  }

  #wakeAt(atUs: number): void {
    if (atUs >= this.#wakeAtUs || this.#isDisposed) return;
    this.#timer?.cancel();
    this.#wakeAtUs = atUs;
    this.#timer = this.#clock.schedule(Math.max(0, atUs - this.#clock.nowUs()), () => {
      this.#wake();
    });
  }

  #wake(): void {
    this.#timer = undefined;
    this.#wakeAtUs = Infinity;
    const nowUs = this.#clock.nowUs();
    let nextUs = Infinity;
    for (const dialogue of this.#dialogues.values()) {
      const dueAtUs = dialogue.dueAtUs();
      if (dueAtUs <= nowUs) this.#queue(dialogue, nowUs);
      else nextUs = Math.min(nextUs, dueAtUs);
    }
    if (nextUs < Infinity) this.#wakeAt(nextUs);
    this.#pump();
  }
}
