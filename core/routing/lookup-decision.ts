import type { LookupOutcome } from '../ports/index.ts';

/**
 * What to do next in one lookup, as a pure state machine: no I/O, no time.
 *
 * - `keeper`: among the nearest to the key; its "nobody" counts and is waited for.
 * - `suspect`: among the nearest, but it did not answer lately; asked, since a yes is a yes, and not waited for while others suffice.
 * - `extra`: not near, asked because it answers only for itself (Spegel v0.4); waited for, its "nobody" proves nothing.
 */
export type Role = 'keeper' | 'suspect' | 'extra';

export interface Participant {
  readonly id: string;
  readonly role: Role;
  /** Named by an answer, not chosen by this node: what it names in turn is not asked. */
  readonly isSecondHop: boolean;
  /** No connection to it stood: it is not silent before its handshake. */
  readonly isDialled: boolean;
  readonly standing: 'open' | 'yes' | 'no' | 'warming' | 'failed';
}

export interface LookupPlan {
  readonly asked: readonly { readonly id: string; readonly role: Role; readonly isDialled: boolean }[];
  /**
   * Among the nearest too, but no connection to them stands, and a dial takes processors at both ends. Asked in this order where one of those asked fails, is warming,
   * or is connected and silent at the miss time; and all of them once somebody has it, since they may know of other holders.
   */
  readonly heldBack: readonly string[];
  /** The next nearest, asked in this order where a keeper fails or is warming. */
  readonly spares: readonly string[];
  /** How many must say "nobody" before it is believed. */
  readonly quorum: number;
  /** How many of the members that answers name may be asked. */
  readonly secondHopMax: number;
}

export interface LookupState {
  readonly phase: 'asking' | 'found' | 'ended';
  readonly participants: readonly Participant[];
  readonly heldBack: readonly string[];
  readonly spares: readonly string[];
  readonly quorum: number;
  readonly secondHopsLeft: number;
  readonly isMissTimeOver: boolean;
}

export type LookupEvent =
  | {
      readonly type: 'answer';
      readonly from: string;
      readonly verdict: 'yes' | 'no' | 'warming';
      readonly closer: readonly string[];
    }
  | { readonly type: 'failed'; readonly from: string }
  /** `lookupMissTimeoutUs` has passed: a quorum's "nobody" waits for nobody else any longer. */
  | { readonly type: 'miss-time' }
  /** `lookupTimeoutUs` has passed. */
  | { readonly type: 'deadline' };

export type LookupAction =
  { readonly type: 'ask'; readonly ids: readonly string[] } | { readonly type: 'end'; readonly outcome: LookupOutcome };

export interface LookupStep {
  readonly state: LookupState;
  readonly actions: readonly LookupAction[];
}

export function beginLookup(plan: LookupPlan): LookupStep {
  const state: LookupState = {
    phase: 'asking',
    participants: plan.asked.map((each) => ({ ...each, isSecondHop: false, standing: 'open' })),
    heldBack: plan.heldBack,
    spares: plan.spares,
    quorum: plan.quorum,
    secondHopsLeft: plan.secondHopMax,
    isMissTimeOver: false,
  };
  const ids = plan.asked.map(({ id }) => id);
  return ids.length === 0 ? settled(state) : { state, actions: [{ type: 'ask', ids }] };
}

export function stepLookup(state: LookupState, event: LookupEvent): LookupStep {
  if (state.phase === 'ended') return { state, actions: [] };
  switch (event.type) {
    case 'miss-time': {
      const step = settled({ ...state, isMissTimeOver: true });
      return step.state.phase === 'asking'
        ? asking(step.state, [], Math.min(silentOf(state), state.heldBack.length))
        : step;
    }
    case 'deadline':
      return ended(state, state.phase === 'found' ? 'found' : 'timeout');
    case 'failed':
      return heardFrom(state, event.from, 'failed', []);
    case 'answer':
      return heardFrom(state, event.from, event.verdict, event.closer);
  }
}

function heardFrom(
  state: LookupState,
  from: string,
  standing: Exclude<Participant['standing'], 'open'>,
  closer: readonly string[],
): LookupStep {
  const participant = state.participants.find(({ id }) => id === from);
  if (participant === undefined || participant.standing !== 'open') return { state, actions: [] };
  const participants = state.participants.map((each) => (each.id === from ? { ...each, standing } : each));
  if (standing === 'yes')
    return asking({ ...state, phase: 'found', participants }, [], state.phase === 'found' ? 0 : state.heldBack.length);
  if (state.phase === 'found') return settled({ ...state, participants });
  const named = participant.isSecondHop ? [] : closer;
  return asking({ ...state, participants }, named, needsSpare(participant, standing) ? 1 : 0);
}

/** A keeper that cannot speak for the key is stood in for by the next nearest, which was told if the advertisers saw the same. */
function needsSpare(participant: Participant, standing: Participant['standing']): boolean {
  return participant.role === 'keeper' && (standing === 'failed' || standing === 'warming');
}

/** Asks the named members that were not asked yet, and so many more of those that were not; then sees whether that was all. */
function asking(state: LookupState, named: readonly string[], more: number): LookupStep {
  const isNew = (id: string): boolean => !state.participants.some((each) => each.id === id);
  const hops = [...new Set(named)].filter(isNew).slice(0, state.secondHopsLeft);
  const waiting = [...state.heldBack, ...state.spares].filter((id) => !hops.includes(id));
  const next = waiting.slice(0, more);
  const ids = [...hops, ...next];
  const added = ids.map((id): Participant => ({
    id,
    role: 'keeper',
    isSecondHop: hops.includes(id),
    isDialled: state.heldBack.includes(id),
    standing: 'open',
  }));
  const step = settled({
    ...state,
    participants: [...state.participants, ...added],
    heldBack: state.heldBack.filter((id) => !ids.includes(id)),
    spares: state.spares.filter((id) => !ids.includes(id)),
    secondHopsLeft: state.secondHopsLeft - hops.length,
  });
  return ids.length === 0 ? step : { state: step.state, actions: [{ type: 'ask', ids }, ...step.actions] };
}

function silentOf({ participants }: LookupState): number {
  return participants.filter(({ isDialled, role, standing }) => role === 'keeper' && standing === 'open' && !isDialled)
    .length;
}

/** Ends the lookup if nothing more is worth waiting for. */
function settled(state: LookupState): LookupStep {
  const open = state.participants.filter(({ standing }) => standing === 'open');
  if (state.phase === 'found') return open.length === 0 ? ended(state, 'found') : { state, actions: [] };
  const noes = state.participants.filter(({ role, standing }) => role !== 'extra' && standing === 'no').length;
  if (noes >= state.quorum) {
    const isWorthWaiting = !state.isMissTimeOver && open.some(({ role }) => role !== 'suspect');
    return isWorthWaiting ? { state, actions: [] } : ended(state, 'nobody');
  }
  return open.length === 0 ? ended(state, 'unreachable') : { state, actions: [] };
}

function ended(state: LookupState, outcome: LookupOutcome): LookupStep {
  return { state: { ...state, phase: 'ended' }, actions: [{ type: 'end', outcome }] };
}
