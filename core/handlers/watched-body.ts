import type { Body, Chunk } from '../ports/index.ts';

export interface BodyWatch {
  /** Each step that the body gives, its end among them. */
  readonly onStep: (step: IteratorResult<Chunk, undefined>) => void;
  /** What it rejected with. */
  readonly onFailure: (error: unknown) => void;
}

/** A body that is seen as it passes. Every chunk goes through several of them: one promise each, where an async function would take three. */
export function watchedBody(
  body: Body,
  { onFailure, onStep }: BodyWatch,
  end: Body['return'] = () => body.return(),
): Body {
  const pass = (step: IteratorResult<Chunk, undefined>): IteratorResult<Chunk, undefined> => {
    onStep(step);
    return step;
  };
  const fail = (error: unknown): never => {
    onFailure(error);
    throw error;
  };
  return { next: () => body.next().then(pass, fail), return: end };
}
