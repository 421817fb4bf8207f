import { abortedError } from '../abort.ts';
import { errorCodeOf, PeiliError } from '../errors.ts';
import type { Body, Chunk, Clock, PullEnd } from '../ports/index.ts';
import { parseRequest } from '../requests/parse-request.ts';
import { keyOf } from '../requests/reference.ts';
import type { DistributionRequest } from '../requests/request.ts';
import type { DistributionResponse, Handler } from './handler.ts';
import type { Mirror } from './mirror.ts';
import type { PullReport } from './pull-report.ts';
import { errorResponse } from './responses.ts';
import { watchedBody } from './watched-body.ts';

export interface Stacks {
  readonly clients: Handler;
  readonly mirrors: Handler;
}

/** The number of the pull's events, for a client that wants to know what became of it: log lines and the debug view have it as `pullId`. */
export const pullIdHeader = 'peili-pull-id';

/** From text to answer: understands the request, hands it to its stack, and tells the pull's beginning and end. */
export function createAnswer(clock: Clock, stacks: Stacks, reports: () => PullReport): Mirror['answer'] {
  return async (input, signal) => {
    let request: DistributionRequest;
    try {
      request = parseRequest(input);
    } catch (error) {
      if (error instanceof PeiliError) return errorResponse(error, input);
      throw error;
    }
    if (request.resource === 'ping') return ping();
    const report = reports();
    const startedUs = clock.nowUs();
    const { method, mirrored, range, registry, repository, resource } = request;
    report.step({ type: 'start', method, resource, key: keyOf(request), registry, repository, mirrored, range });
    const end = (reason: PullEnd, status: number, bytes: number): void => {
      report.step({ type: 'end', reason, status, bytes, tookUs: clock.nowUs() - startedUs });
    };
    const stack = mirrored ? stacks.mirrors : stacks.clients;
    try {
      const response = followBody(await stack({ request, signal, report }), end);
      return mirrored ? response : named(response, report.pullId);
    } catch (error) {
      end('hangup', 499, 0);
      throw signal.aborted ? abortedError() : error;
    }
  };
}

function named(response: DistributionResponse, pullId: number): DistributionResponse {
  return { ...response, headers: { ...response.headers, [pullIdHeader]: String(pullId) } };
}

/** API version check (distribution-spec, "Determining Support"). */
function ping(): DistributionResponse {
  return { status: 200, headers: { 'content-length': '0', 'docker-distribution-api-version': 'registry/2.0' } };
}

type EndReport = (reason: PullEnd, status: number, bytes: number) => void;

function followBody(response: DistributionResponse, end: EndReport): DistributionResponse {
  const { body, status } = response;
  if (body === undefined || status >= 300) {
    end(endOf(response), status, 0);
    return response;
  }
  return { ...response, body: reportingBody(body, status, Number(response.headers['content-length']), end) };
}

function endOf({ error, status }: DistributionResponse): PullEnd {
  if (status < 300) return 'complete';
  if (error === 'FILTERED') return 'filtered';
  if (error === 'SWITCHED_OFF') return 'switched-off';
  return status === 404 ? 'not-found' : 'rejected';
}

function reportingBody(body: Body, status: number, length: number, end: EndReport): Body {
  const state = { bytes: 0, over: false };
  const finish = (reason: PullEnd): void => {
    if (!state.over) end(reason, status, state.bytes);
    state.over = true;
  };
  const onStep = ({ done, value }: IteratorResult<Chunk, undefined>): void => {
    if (done === true) finish(state.bytes === length ? 'complete' : 'cut');
    else state.bytes += value.byteLength;
  };
  const onFailure = (error: unknown): void => {
    finish(reasonOfEnd(error));
  };
  return watchedBody(body, { onStep, onFailure }, () => {
    const ended = body.return(); // First: what it has to tell belongs before the end.
    finish(state.bytes === length ? 'complete' : 'hangup');
    return ended;
  });
}

function reasonOfEnd(error: unknown): PullEnd {
  switch (errorCodeOf(error)) {
    case 'ABORTED':
      return 'hangup';
    case 'DIGEST_MISMATCH':
      return 'mismatch';
    default:
      return 'cut';
  }
}
