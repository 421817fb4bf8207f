import { PeiliError } from '../errors.ts';
import { keyOf, referenceOf } from '../requests/reference.ts';
import type { Handler } from './handler.ts';
import { errorResponse } from './responses.ts';

/** Answers 404 while the operator has this way switched off: the client goes on to the upstream registry. Bodies in flight go on to their end. */
export function switched(next: Handler, isOn: () => boolean): Handler {
  return (exchange) => {
    const { request } = exchange;
    if (request.resource === 'ping' || isOn()) return next(exchange);
    const error = new PeiliError('SWITCHED_OFF', `switched off: ${referenceOf(request) ?? keyOf(request)}`);
    return Promise.resolve(errorResponse(error, request));
  };
}
