import type { CanaryView, DebugSnapshot, Verdict } from './snapshot.ts';

export interface VerdictFacts {
  readonly isRunning: boolean;
  readonly ready: DebugSnapshot['ready'];
  readonly mode: DebugSnapshot['mode'];
  readonly canary: CanaryView | null;
  readonly lastSuccess: DebugSnapshot['lastSuccess'];
  readonly members: { readonly total: number };
  /** The content store cannot be read now; why. */
  readonly storeTrouble: string | undefined;
}

/** The one sentence that an operator looks for: does it work, and if not, what to mend. */
export function judge(facts: VerdictFacts): Verdict {
  const { isRunning, ready, mode, canary, lastSuccess, members, storeTrouble } = facts;
  if (!isRunning) return { state: 'starting', headline: 'Starting', explanation: 'This mirror has just been started.' };
  if (mode !== 'on') return switchedOff(mode);
  if (canary?.arrived === false) {
    return { state: 'trouble', headline: 'containerd does not use this mirror', explanation: canary.reason };
  }
  if (storeTrouble !== undefined) {
    return { state: 'trouble', headline: 'The content store cannot be read', explanation: storeTrouble };
  }
  if (!ready.ready) return { state: 'trouble', headline: 'Not ready', explanation: ready.reason };
  const proven = canary === null ? '' : ' containerd uses this mirror: its last canary arrived.';
  if (lastSuccess !== null) {
    const explanation = `Peers give this node what its containerd asks for.${proven}`;
    return { state: 'working', headline: 'Working', explanation };
  }
  const alone =
    'No other member is known yet, so that nothing can come from a peer. If this node is not alone, look at its bootstrap.';
  const waiting =
    'Nothing has come from a peer yet: that shows with the next image that this node lacks and another has.';
  return {
    state: 'waiting',
    headline: members.total === 0 ? 'Alone' : 'Ready',
    explanation: `${members.total === 0 ? alone : waiting}${proven}`,
  };
}

/** By the operator: whatever else is wrong is not why nothing comes from peers. */
function switchedOff(mode: 'serve-only' | 'off'): Verdict {
  return mode === 'off'
    ? {
        state: 'waiting',
        headline: 'Switched off',
        explanation: 'The operator has switched this mirror off: containerd and other mirrors are sent elsewhere.',
      }
    : {
        state: 'waiting',
        headline: 'Serving only',
        explanation: 'The operator lets this mirror serve other mirrors only: containerd is sent upstream.',
      };
}
