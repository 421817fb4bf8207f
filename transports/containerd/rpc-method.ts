import type { BaseIssue, BaseSchema } from 'valibot';

/** One method of one of our .proto files. */
export interface Method<Answer> {
  /** With its package: `containerd.services.version.v1.Version`. */
  readonly service: string;
  readonly name: string;
  /** What an answer must be. */
  readonly schema: BaseSchema<unknown, Answer, BaseIssue<unknown>>;
}

export function methodOf<Answer>(
  service: string,
  name: string,
  schema: BaseSchema<unknown, Answer, BaseIssue<unknown>>,
): Method<Answer> {
  return { service, name, schema };
}
