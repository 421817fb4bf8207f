/** Whether it is the turn: of each one, or of the `every`-th, the first included. */
export function everyNth(every = 1): () => boolean {
  const state = { count: 0 };
  return () => {
    const isDue = state.count % every === 0;
    state.count += 1;
    return isDue;
  };
}
