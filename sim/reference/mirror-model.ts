import { askedRange } from './asked-range.ts';

/** A request as a client or another mirror makes it. */
export interface ModelRequest {
  readonly method: 'GET' | 'HEAD';
  readonly resource: 'manifest' | 'blob';
  readonly registry: string;
  readonly repository: string;
  /** One of the two is asked for. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  readonly range: string | undefined;
  /** Another mirror asks. */
  readonly isMirrored: boolean;
}

/** What may be the answer's content: by digest there is one, a tag may have meant several while it was asked for. */
export interface ModelContent {
  readonly digest: string;
  readonly sizeBytes: number;
  /** Whether it was in this node's store while it was asked for: all the time, at no time, or now and then. */
  readonly isHere: 'always' | 'never' | 'perhaps';
  /** Whether another node may have had it. */
  readonly isElsewhere: boolean;
}

/** What is kept out, as its operator said it. */
export interface ModelFilter {
  readonly registryFilters?: readonly string[];
  readonly mirroredRegistries?: readonly string[];
  readonly blobsOnlyRegistries?: readonly string[];
}

export interface ModelState {
  readonly filter: ModelFilter;
  readonly contents: readonly ModelContent[];
  /** It may turn other mirrors away: it is leaving, or gives as many bodies as it may. */
  readonly mayRefuse: boolean;
  /** Something may keep it from what it has: a file that is wrong or cannot be read, a disk that is slow. */
  readonly mayMiss: boolean;
}

/** An answer's head, as far as a law is about it. Undefined: whatever it is. */
export interface ModelAnswer {
  readonly status: number;
  readonly lengthBytes?: number;
  /** '': there is none. */
  readonly contentRange?: string;
  readonly digest?: string;
}

/** The set of all answers that are right. An answer that is not among them breaks the contract; which of them is given is the mirror's own decision. */
export function allowedAnswers(request: ModelRequest, state: ModelState): readonly ModelAnswer[] {
  if (isFiltered(request, state.filter)) return [...refusals(request, state), absent];
  const answers: ModelAnswer[] = [...refusals(request, state)];
  for (const content of state.contents) {
    const mayHave = content.isHere !== 'never' || (!request.isMirrored && content.isElsewhere);
    if (mayHave) answers.push(headOf(request, content));
  }
  const isSure = state.contents.some(({ isHere }) => isHere === 'always') && !state.mayMiss;
  if (!isSure) answers.push(absent);
  return answers;
}

const absent: ModelAnswer = { status: 404, contentRange: '' };

/** Clients are never turned away: a 404 sends them upstream. */
function refusals({ isMirrored }: ModelRequest, { mayRefuse }: ModelState): readonly ModelAnswer[] {
  return isMirrored && mayRefuse ? [{ status: 503, contentRange: '' }] : [];
}

function headOf({ isMirrored, range }: ModelRequest, { digest, sizeBytes }: ModelContent): ModelAnswer {
  const asked = askedRange(range, sizeBytes, { isMirrored });
  if (asked === 'whole') return { status: 200, lengthBytes: sizeBytes, contentRange: '', digest };
  if (asked === 'unsatisfiable') return { status: 416, contentRange: `bytes */${sizeBytes}` };
  const { end, start } = asked;
  return { status: 206, lengthBytes: end - start, contentRange: `bytes ${start}-${end - 1}/${sizeBytes}`, digest };
}

/** Patterns of scenarios are so simple that JavaScript reads them as RE2 does. */
export function isFiltered(
  { registry, repository, resource, tag }: Pick<ModelRequest, 'registry' | 'repository' | 'resource' | 'tag'>,
  { blobsOnlyRegistries = [], mirroredRegistries = [], registryFilters = [] }: ModelFilter,
): boolean {
  if (mirroredRegistries.length > 0 && !mirroredRegistries.includes(registry)) return true;
  if (resource === 'manifest' && blobsOnlyRegistries.includes(registry)) return true;
  const name = `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}`;
  return registryFilters.some((pattern) => new RegExp(pattern).test(name));
}

/** Whether this is one of them. */
export function isAllowed(given: ModelAnswer, allowed: readonly ModelAnswer[]): boolean {
  return allowed.some(
    (answer) =>
      answer.status === given.status &&
      (answer.lengthBytes === undefined || answer.lengthBytes === given.lengthBytes) &&
      (answer.contentRange === undefined || answer.contentRange === given.contentRange) &&
      (answer.digest === undefined || answer.digest === given.digest),
  );
}
