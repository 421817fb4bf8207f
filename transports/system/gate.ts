export interface Gate {
  /** Resolves when there is room, first come first served. */
  enter(): Promise<void>;
  /** Once for each `enter()` that has resolved. */
  leave(): void;
}

/** Lets `max` in at once; who waits holds no buffer yet. */
export function createGate(max: number): Gate {
  const waiting: (() => void)[] = [];
  const state = { inside: 0 };
  return {
    enter: () => {
      if (state.inside === max) return new Promise((resolve) => waiting.push(resolve));
      state.inside += 1;
      return Promise.resolve();
    },
    leave: () => {
      const next = waiting.shift();
      if (next === undefined) state.inside -= 1;
      else next();
    },
  };
}
