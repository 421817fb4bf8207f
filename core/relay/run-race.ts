import { abortReason, onAbort, openScope } from '../abort.ts';
import type { Scope } from '../abort.ts';
import { PeiliError } from '../errors.ts';
import { scheduleFair } from '../fair-timer.ts';
import type { Limits } from '../limits.ts';
import type { Clock, Timer } from '../ports/index.ts';
import { startRace, stepRace } from './race.ts';
import type { RaceEvent, RaceState } from './race.ts';
import type { Source, SourceSet } from './source-set.ts';

export interface RaceInput<T> {
  readonly sources: SourceSet;
  /** The sources that may be asked, best first, those in `tried` left out. */
  candidates(tried: ReadonlySet<string>): readonly Source[];
  /** Asks one source. Rejects when the source failed, and at once when the scope aborts. */
  attempt(source: Source, hedge: boolean, scope: Scope): Promise<T>;
  /** Lets go of a good answer that came after another had won. */
  discard(answer: T): void;
  /** Attempts that this race may start. */
  readonly attemptsMax: number;
  /** An attempt that began before the race: a window asked for ahead. */
  readonly adopted?: Attempt<T> | undefined;
  readonly signal: AbortSignal;
}

/** One question under way. Its scope outlives the race if it wins: the body of the answer flows under it. */
export interface Attempt<T> {
  readonly source: Source;
  readonly answer: Promise<T>;
  readonly scope: Scope;
}

export interface RaceWinner<T> {
  readonly source: Source;
  readonly answer: T;
  /** The winner's to end: `abort()` to cancel its body, `close()` when it is done. */
  readonly scope: Scope;
}

/**
 * Runs one race to its end: the first good answer. Rejects with `SOURCES_EXHAUSTED` when nobody is left, with `ABORTED` when cancelled.
 * When it settles the losers are cancelled, and nothing of it waits any more.
 */
export function runRace<T>(deps: { clock: Clock; limits: Limits }, input: RaceInput<T>): Promise<RaceWinner<T>> {
  return new Promise((resolve, reject) => {
    new Race(deps, input, resolve, reject).begin();
  });
}

class Race<T> {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #input: RaceInput<T>;
  readonly #resolve: (winner: RaceWinner<T>) => void;
  readonly #reject: (error: PeiliError) => void;
  readonly #tried = new Set<string>();
  /** Attempts under way, and since when they are waited for. */
  readonly #running = new Map<Attempt<T>, number>();
  #state: RaceState;
  #settled = false;
  #hedge: Timer | undefined;
  #release: (() => void)[] = [];

  constructor(
    deps: { clock: Clock; limits: Limits },
    input: RaceInput<T>,
    resolve: (winner: RaceWinner<T>) => void,
    reject: (error: PeiliError) => void,
  ) {
    this.#clock = deps.clock;
    this.#limits = deps.limits;
    this.#input = input;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#state = startRace(input.attemptsMax, input.adopted === undefined ? 0 : 1);
  }

  begin(): void {
    const { adopted, signal, sources } = this.#input;
    if (adopted !== undefined) this.#follow(adopted);
    const letGo = onAbort(signal, () => {
      this.#settle();
      this.#reject(abortReason(signal));
    });
    if (this.#settled) return;
    this.#release = [
      letGo,
      sources.watch(() => {
        this.#send('changed');
      }),
    ];
    this.#send('changed');
  }

  #send(type: RaceEvent['type']): void {
    if (this.#settled) return;
    const untried = this.#input.candidates(this.#tried).length;
    const event = { type, untried, open: this.#input.sources.isOpen() };
    const { state, actions } = stepRace(this.#state, event, this.#limits.racingHeadsMax);
    this.#state = state;
    for (const action of actions) {
      if (action === 'start') this.#startBest();
      else {
        this.#settle();
        this.#reject(new PeiliError('SOURCES_EXHAUSTED', 'no source is left'));
      }
    }
  }

  #startBest(): void {
    const [source] = this.#input.candidates(this.#tried);
    if (source === undefined) throw new Error('race: a start without a candidate'); // Counted in the same turn.
    const hedge = this.#running.size > 0;
    const scope = openScope(this.#input.signal);
    this.#follow({ source, scope, answer: this.#input.attempt(source, hedge, scope) });
  }

  #follow(attempt: Attempt<T>): void {
    this.#tried.add(attempt.source.id);
    this.#running.set(attempt, this.#clock.nowUs());
    this.#armHedge();
    attempt.answer.then(
      (answer) => {
        this.#won(attempt, answer);
      },
      () => {
        this.#running.delete(attempt);
        attempt.scope.close();
        this.#send('failed');
      },
    );
  }

  #won(attempt: Attempt<T>, answer: T): void {
    if (this.#settled) {
      this.#input.discard(answer);
      return;
    }
    this.#running.delete(attempt);
    this.#send('won');
    this.#endLate();
    this.#settle();
    this.#resolve({ source: attempt.source, answer, scope: attempt.scope });
  }

  #armHedge(): void {
    this.#hedge?.cancel();
    this.#hedge = scheduleFair(this.#clock, this.#limits.hedgeDelayUs, () => {
      this.#send('late');
    });
  }

  /** Late enough for a hedge and beaten by it: a time-out that was not waited for to its end, and that costs the source its place as one does. */
  #endLate(): void {
    for (const [attempt, sinceUs] of this.#running) {
      if (this.#clock.nowUs() - sinceUs < this.#limits.hedgeDelayUs) continue;
      attempt.scope.abort(new PeiliError('HEAD_TIMEOUT', 'another source answered first'));
    }
  }

  #settle(): void {
    this.#settled = true;
    this.#hedge?.cancel();
    for (const release of this.#release) release();
    for (const attempt of this.#running.keys()) {
      attempt.scope.abort();
      attempt.scope.close();
    }
    this.#running.clear();
  }
}
