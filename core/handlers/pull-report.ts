import type { Clock, Observer, PullStep } from '../ports/index.ts';

/** The events of one pull, stamped. */
export interface PullReport {
  readonly pullId: number;
  step(step: PullStep): void;
}

/** Gives each request of a node its number. */
export function createPullReports(clock: Clock, observer: Observer): () => PullReport {
  const counter = { next: 1 };
  return () => {
    const pullId = counter.next;
    counter.next += 1;
    return {
      pullId,
      step: (step) => {
        observer.onPull({ pullId, atUs: clock.nowUs(), ...step });
      },
    };
  };
}
