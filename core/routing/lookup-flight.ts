import { abortedError, abortReason, onAbort } from '../abort.ts';
import type { Limits } from '../limits.ts';
import type { Clock, Holder, LookupAnswer, LookupOutcome, Member, Records, RoutingKey, Timer } from '../ports/index.ts';
import { beginLookup, stepLookup } from './lookup-decision.ts';
import type { LookupEvent, LookupState, LookupStep } from './lookup-decision.ts';
import type { PlannedLookup } from './lookup-plan.ts';
import type { Reachability } from './reachability.ts';

export type OnHolders = (holders: readonly Holder[]) => void;

export interface FlightDeps {
  readonly clock: Clock;
  readonly records: Records;
  readonly reachability: Reachability;
  readonly self: Member;
  /** A member as this node knows it, which outweighs how others describe it. */
  readonly known: (id: string) => Member | undefined;
  /** What this node's own soft state says. */
  readonly ownAnswer: (key: RoutingKey) => LookupAnswer;
}

interface Caller {
  readonly onHolders: OnHolders;
  readonly resolve: (outcome: LookupOutcome) => void;
  readonly reject: (error: Error) => void;
  release: () => void;
}

/** One lookup under way, shared by everybody who asks for the same key meanwhile. Nothing of it outlives its end. */
export class LookupFlight {
  readonly #deps: FlightDeps;
  readonly #limits: Limits;
  readonly #key: RoutingKey;
  readonly #members: Map<string, Member>;
  readonly #onEnd: () => void;
  readonly #callers = new Set<Caller>();
  readonly #holders = new Map<string, Holder>();
  readonly #calls = new AbortController();
  #state: LookupState;
  #timer: Timer | undefined;

  constructor(deps: FlightDeps, limits: Limits, key: RoutingKey, planned: PlannedLookup, onEnd: () => void) {
    this.#deps = deps;
    this.#limits = limits;
    this.#key = key;
    this.#members = new Map(planned.members);
    this.#onEnd = onEnd;
    const step = beginLookup(planned.plan);
    this.#state = step.state;
    this.#timer = deps.clock.schedule(limits.lookupMissTimeoutUs, () => {
      this.#onMissTime();
    });
    this.#act(step);
  }

  /** Resolves when the lookup ends; the holders come as they are found. Aborting ends it for this caller, and for all with the last one. */
  join(onHolders: OnHolders, signal: AbortSignal): Promise<LookupOutcome> {
    return new Promise((resolve, reject) => {
      const caller: Caller = { onHolders, resolve, reject, release: () => undefined };
      this.#callers.add(caller);
      caller.release = onAbort(signal, () => {
        this.#callers.delete(caller);
        reject(abortReason(signal));
        if (this.#callers.size === 0) this.cancel();
      });
      if (this.#holders.size > 0 && !signal.aborted) onHolders([...this.#holders.values()]);
    });
  }

  /** Ends without a result: everybody who still waits is told that it was cancelled. */
  cancel(): void {
    this.#end((caller) => {
      caller.reject(abortedError());
    });
  }

  #onMissTime(): void {
    const { lookupTimeoutUs, lookupMissTimeoutUs } = this.#limits;
    this.#timer = this.#deps.clock.schedule(Math.max(0, lookupTimeoutUs - lookupMissTimeoutUs), () => {
      this.#on({ type: 'deadline' });
    });
    this.#on({ type: 'miss-time' });
  }

  #on(event: LookupEvent): void {
    this.#act(stepLookup(this.#state, event));
  }

  #act({ state, actions }: LookupStep): void {
    this.#state = state;
    for (const action of actions) {
      if (action.type === 'ask') action.ids.forEach((id) => void this.#ask(id));
      else this.#finish(action.outcome);
    }
  }

  async #ask(id: string): Promise<void> {
    const { self, ownAnswer, records, reachability, clock } = this.#deps;
    const member = this.#members.get(id);
    const { signal } = this.#calls;
    // Never within the constructor or another answer: whoever asks has its flight first.
    await Promise.resolve();
    if (member === undefined || signal.aborted) return;
    if (id === self.id) {
      this.#onAnswer(id, ownAnswer(this.#key));
      return;
    }
    try {
      const answer = await records.lookup(member, this.#key, signal);
      if (signal.aborted) return;
      reachability.heard(id);
      this.#onAnswer(id, answer);
    } catch {
      if (signal.aborted) return;
      reachability.failed(id, clock.nowUs());
      this.#on({ type: 'failed', from: id });
    }
  }

  #onAnswer(from: string, answer: LookupAnswer): void {
    const told = answer.holders.slice(0, this.#limits.holdersPerAnswerMax);
    const others = told.filter(({ member }) => member.id !== this.#deps.self.id);
    const fresh = others.filter(({ member }) => !this.#holders.has(member.id)).map((holder) => this.#known(holder));
    for (const holder of fresh) this.#holders.set(holder.member.id, holder);
    const closer = answer.closer.slice(0, this.#limits.closerPerAnswerMax);
    for (const member of closer) {
      if (!this.#members.has(member.id)) this.#members.set(member.id, this.#deps.known(member.id) ?? member);
    }
    const names = closer.map(({ id }) => id).filter((id) => id !== this.#deps.self.id);
    const verdict = others.length > 0 ? 'yes' : answer.warming ? 'warming' : 'no';
    // The holders first: an answer may be the last one that is waited for.
    if (fresh.length > 0) for (const caller of this.#callers) caller.onHolders(fresh);
    if (this.#calls.signal.aborted) return;
    this.#on({ type: 'answer', from, verdict, closer: names });
  }

  #known(holder: Holder): Holder {
    const known = this.#deps.known(holder.member.id);
    return known === undefined ? holder : { ...holder, member: known };
  }

  #finish(outcome: LookupOutcome): void {
    this.#noteSilence(outcome, this.#state.participants);
    this.#end((caller) => {
      caller.resolve(outcome);
    });
  }

  /** Silence is evidence only where others spoke: if nobody did, this node itself may have stood still. */
  #noteSilence(outcome: LookupOutcome, participants: LookupState['participants']): void {
    const { self, reachability, clock } = this.#deps;
    const others = participants.filter(({ id }) => id !== self.id);
    if (!others.some(({ standing }) => standing !== 'open' && standing !== 'failed')) return;
    for (const { id, standing, role } of others) {
      if (standing !== 'open' || role === 'suspect') continue;
      if (outcome === 'nobody') reachability.silent(id, clock.nowUs());
      else reachability.failed(id, clock.nowUs());
    }
  }

  #end(tell: (caller: Caller) => void): void {
    if (this.#calls.signal.aborted) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#calls.abort(abortedError());
    this.#onEnd();
    const callers = [...this.#callers];
    this.#callers.clear();
    for (const caller of callers) {
      caller.release();
      tell(caller);
    }
  }
}
