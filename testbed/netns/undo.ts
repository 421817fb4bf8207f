/** Undoes what was done, the last first, all of it even when a step fails; then rejects with the failures. */
export async function undoAll(steps: (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, 'several things could not be taken down');
}

/** Undoes what was begun before a failure, and rejects with it, and with what failed in undoing. */
export async function undoAfter(failure: unknown, steps: (() => Promise<unknown>)[]): Promise<never> {
  try {
    await undoAll(steps);
  } catch (undoing) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    throw new AggregateError([failure, undoing], `${reason} (and taking down what was begun failed too)`);
  }
  throw failure;
}

/** Waits for all of them, and only then rejects with the first failure: nothing goes on behind the back of who cleans up. */
export async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}
