import { relayBlob } from '../relay/blob.ts';
import { relayManifest } from '../relay/manifest.ts';
import type { RelayDeps } from '../relay/relay-deps.ts';
import type { Handler } from './handler.ts';

/** Answers from peers, and never for another mirror (contract L12). */
export function relay(next: Handler, deps: RelayDeps): Handler {
  return async (exchange) => {
    const { request } = exchange;
    if (request.resource === 'ping' || request.mirrored) return next(exchange);
    const response =
      request.resource === 'blob'
        ? await relayBlob(deps, exchange, request)
        : await relayManifest(deps, exchange, request);
    return response ?? next(exchange);
  };
}
