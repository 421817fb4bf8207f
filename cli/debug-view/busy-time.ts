/** For how long at least one thing was under way. */
export interface BusyTime {
  begin(): void;
  end(): void;
  totalUs(): number;
}

export function createBusyTime(nowUs: () => number): BusyTime {
  const state = { open: 0, sinceUs: 0, totalUs: 0 };
  return {
    begin: () => {
      if (state.open === 0) state.sinceUs = nowUs();
      state.open += 1;
    },
    end: () => {
      state.open -= 1;
      if (state.open === 0) state.totalUs += nowUs() - state.sinceUs;
    },
    totalUs: () => state.totalUs + (state.open > 0 ? nowUs() - state.sinceUs : 0),
  };
}

/** For how long at least one of the intervals ran. */
export function unionUs(intervals: readonly { readonly fromUs: number; readonly toUs: number }[]): number {
  let totalUs = 0;
  let coveredUs = -Infinity;
  for (const { fromUs, toUs } of [...intervals].sort((a, b) => a.fromUs - b.fromUs)) {
    totalUs += Math.max(0, toUs - Math.max(fromUs, coveredUs));
    coveredUs = Math.max(coveredUs, toUs);
  }
  return totalUs;
}
