/**
 * Who is asked when: the decisions of one race for a head, apart from its calls and timers.
 * One source is asked; a hedge joins it when the head is late; a failure is replaced at once; the first good head wins.
 */
export interface RaceState {
  /** Attempts under way. */
  readonly running: number;
  /** Sources that could be asked and were not. */
  readonly untried: number;
  /** More sources may still come (a lookup or a proof is under way). */
  readonly open: boolean;
  /** How many attempts should be under way: 1, or more once the head is late. */
  readonly wanted: number;
  /** Attempts that may still be started. */
  readonly budget: number;
  readonly outcome: 'undecided' | 'won' | 'exhausted';
}

/** What happened, with the sources as they are then. `changed`: nothing but them. `late`: the hedge timer. `failed`, `won`: an attempt ended. */
export interface RaceEvent {
  readonly type: 'changed' | 'late' | 'failed' | 'won';
  readonly untried: number;
  readonly open: boolean;
}

/** `start`: ask the best untried source and re-arm the hedge timer. `exhaust`: nobody is left. */
export type RaceAction = 'start' | 'exhaust';

export interface RaceStep {
  readonly state: RaceState;
  readonly actions: readonly RaceAction[];
}

/** @param adopted attempts that were under way before the race began (a window asked for ahead). */
export function startRace(budget: number, adopted: number): RaceState {
  return { running: adopted, untried: 0, open: true, wanted: 1, budget, outcome: 'undecided' };
}

export function stepRace(before: RaceState, event: RaceEvent, racingMax: number): RaceStep {
  if (before.outcome !== 'undecided') return { state: before, actions: [] };
  return decide(apply(before, event, racingMax));
}

function apply(before: RaceState, event: RaceEvent, racingMax: number): RaceState {
  const state = { ...before, untried: event.untried, open: event.open };
  switch (event.type) {
    case 'changed':
      return state;
    case 'late':
      // The timer of an attempt that has ended says nothing about the next one.
      return state.running === 0 ? state : { ...state, wanted: Math.min(state.running + 1, racingMax) };
    case 'failed':
      return { ...state, running: state.running - 1 };
    case 'won':
      return { ...state, running: state.running - 1, outcome: 'won' };
  }
}

function decide(state: RaceState): RaceStep {
  if (state.outcome === 'won') return { state, actions: [] };
  const starts = Math.max(0, Math.min(state.wanted - state.running, state.untried, state.budget));
  if (starts > 0) {
    const next = {
      ...state,
      running: state.running + starts,
      untried: state.untried - starts,
      budget: state.budget - starts,
    };
    return { state: next, actions: Array.from({ length: starts }, () => 'start' as const) };
  }
  const canStartLater = state.budget > 0 && (state.open || state.untried > 0);
  if (state.running === 0 && !canStartLater) return { state: { ...state, outcome: 'exhausted' }, actions: ['exhaust'] };
  return { state, actions: [] };
}
