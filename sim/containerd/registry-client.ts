import type { Body } from '../../core/index.ts';
import type { ExchangeAnswer } from '../network/exchange.ts';
import type { Party } from '../network/party.ts';
import type { Wire } from '../network/wire.ts';
import { requestsMax } from './containerd-options.ts';

export interface RegistryClientDeps {
  readonly wire: Pick<Wire, 'exchange'>;
  readonly self: Party;
}

/** One of those that hosts.toml names, or the upstream. */
export interface RegistryHost {
  readonly party: Party;
  readonly dialTimeoutUs: number;
  /** Nobody is asked after it. */
  readonly isLast: boolean;
}

export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD';
  readonly registry: string;
  readonly repository: string;
  /** `manifests/...` or `blobs/...`. */
  readonly resource: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the client is told of its requests: those under way, and their bytes. */
export interface RequestWatch {
  onBegin(): void;
  onEnd(): void;
}

/** Asks registries as containerd's `docker` package does (core/remotes/docker/resolver.go). Tokens and redirects are below it (`sim/upstream/`): mirrors want neither. */
export class RegistryClient {
  readonly #deps: RegistryClientDeps;
  readonly #watch: RequestWatch | undefined;

  constructor(deps: RegistryClientDeps, watch?: RequestWatch) {
    this.#deps = deps;
    this.#watch = watch;
  }

  /** The answer after all that the same host is asked again for; undefined: there was none. */
  async ask(host: RegistryHost, request: RegistryRequest, signal: AbortSignal): Promise<ExchangeAnswer | undefined> {
    let { method } = request;
    let before = 0;
    for (let requests = 1; ; requests += 1) {
      const answer = await this.#exchange(host, { ...request, method }, signal);
      if (answer === undefined || requests >= requestsMax) return answer;
      const { status } = answer;
      if (status === 405 && method === 'HEAD' && request.resource.startsWith('manifests/')) method = 'GET';
      else if (!isAskedAgain(host, status, before)) return answer;
      before = status;
      await answer.body?.return();
    }
  }

  async #exchange(
    { party, dialTimeoutUs }: RegistryHost,
    { method, registry, repository, resource, headers }: RegistryRequest,
    signal: AbortSignal,
  ): Promise<ExchangeAnswer | undefined> {
    const query = party.role === 'mirror' ? `?ns=${registry}` : '';
    const target = `/v2/${repository}/${resource}${query}`;
    const { wire, self } = this.#deps;
    this.#watch?.onBegin();
    const onEnd = (): void => this.#watch?.onEnd();
    try {
      const answer = await wire.exchange(self, party, { method, target, headers }, signal, { dialTimeoutUs });
      if (answer.body === undefined) onEnd();
      else if (this.#watch !== undefined) return { ...answer, body: watchedBody(answer.body, onEnd) };
      return answer;
    } catch {
      onEnd();
      return undefined;
    }
  }
}

/** A body whose end, whichever it is, is told. */
function watchedBody(body: Body, onEnd: () => void): Body {
  let isOver = false;
  const over = (): void => {
    if (!isOver) onEnd();
    isOver = true;
  };
  return {
    next: () => body.next(),
    return: () => {
      over();
      return body.return();
    },
  };
}

/** Whether the same host is sent the same request again, `before` having been its answer before this one. */
function isAskedAgain(host: RegistryHost, status: number, before: number): boolean {
  switch (status) {
    case 408:
    case 429:
      return true;
    case 500:
    case 503:
    case 504:
      return host.isLast && before !== status;
    default:
      return false;
  }
}
