import { PeiliError } from '../errors.ts';
import type { RegistryFilter } from '../filters/registry-filter.ts';
import { keyOf, referenceOf } from '../requests/reference.ts';
import type { Handler } from './handler.ts';
import { errorResponse } from './responses.ts';

export interface FilterOptions {
  readonly filter: RegistryFilter;
}

/** Answers 404 for what must not be mirrored, before anything is looked up: the client goes on to the upstream registry. */
export function filter(next: Handler, options: FilterOptions): Handler {
  return (exchange) => {
    const { request } = exchange;
    if (request.resource === 'ping' || options.filter.decide(request) === 'serve') return next(exchange);
    const error = new PeiliError('FILTERED', `not mirrored: ${referenceOf(request) ?? keyOf(request)}`);
    return Promise.resolve(errorResponse(error, request));
  };
}
