/** Work of which one run goes on at a time. */
export interface Runs {
  /** Resolves when a run that began after the call has ended; who asks during a run shares the next one. Rejects as that run does. */
  run(): Promise<void>;
  /** Runs under way. */
  pending(): number;
}

export function createRuns(work: () => Promise<void>): Runs {
  const state: { running: Promise<void> | undefined; following: Promise<void> | undefined } = {
    running: undefined,
    following: undefined,
  };
  const run = (): Promise<void> => {
    if (state.running === undefined) {
      state.running = work().finally(() => {
        state.running = undefined;
      });
      return state.running;
    }
    state.following ??= state.running
      .catch(() => undefined)
      .then(() => {
        state.following = undefined;
        return run();
      });
    return state.following;
  };
  return { run, pending: () => (state.running === undefined ? 0 : 1) };
}
