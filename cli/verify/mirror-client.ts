import { authorizationOf } from '../../transports/index.ts';
import type { BasicAuth } from '../../transports/index.ts';

/** Asks the node's own mirror. */
export interface MirrorClient {
  /** The registry: `path` begins with a slash. Rejects as `fetch` does; the head has to come in time. */
  registry(
    path: string,
    init: { readonly method?: 'GET' | 'HEAD'; readonly accept?: string },
    signal: AbortSignal,
  ): Promise<Response>;
  /** What is served beside the metrics. */
  metrics(path: string, signal: AbortSignal): Promise<Response>;
}

export interface MirrorClientOptions {
  readonly registryUrl: string;
  readonly metricsUrl: string;
  readonly basicAuth: BasicAuth | undefined;
}

/** Until the head of an answer: a lookup and a few attempts of the mirror. */
const headTimeoutMs = 10_000;

export function createMirrorClient({ registryUrl, metricsUrl, basicAuth }: MirrorClientOptions): MirrorClient {
  const ask = async (url: string, init: RequestInit, signal: AbortSignal): Promise<Response> => {
    const head = new AbortController();
    const timer = setTimeout(() => {
      head.abort(new DOMException('no answer in time', 'TimeoutError'));
    }, headTimeoutMs);
    try {
      return await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.any([signal, head.signal]) });
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    registry: (path, { method = 'GET', accept }, signal) => {
      const headers = {
        ...(accept === undefined ? {} : { accept }),
        ...(basicAuth === undefined ? {} : { authorization: authorizationOf(basicAuth) }),
      };
      return ask(`${registryUrl}${path}`, { method, headers }, signal);
    },
    metrics: (path, signal) => ask(`${metricsUrl}${path}`, {}, signal),
  };
}
