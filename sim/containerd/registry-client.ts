import type { Body } from '../../core/index.ts';
import type { ExchangeAnswer } from '../network/exchange.ts';
import type { Party } from '../network/party.ts';
import type { Wire } from '../network/wire.ts';
import { redirectsMax, requestsMax } from './containerd-options.ts';

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

/** Asks registries as containerd's `docker` package does (core/remotes/docker/resolver.go). */
export class RegistryClient {
  readonly #deps: RegistryClientDeps;
  readonly #watch: RequestWatch | undefined;
  readonly #tokens = new Map<Party, string>();

  /** One for each pull: tokens last no longer. */
  constructor(deps: RegistryClientDeps, watch?: RequestWatch) {
    this.#deps = deps;
    this.#watch = watch;
  }

  /** The answer after all that the same host is asked again for; undefined: there was none. */
  async ask(host: RegistryHost, request: RegistryRequest, signal: AbortSignal): Promise<ExchangeAnswer | undefined> {
    let { method } = request;
    let before = 0;
    for (let requests = 1; ; requests += 1) {
      const answer = await this.#askOnce(host, { ...request, method }, signal);
      if (answer === undefined || requests >= requestsMax) return answer;
      const { status } = answer;
      if (status === 405 && method === 'HEAD' && request.resource.startsWith('manifests/')) method = 'GET';
      else if (!(await this.#isAskedAgain(host, answer, before, signal))) return answer;
      before = status;
      await answer.body?.return();
    }
  }

  async #isAskedAgain(
    host: RegistryHost,
    { status, headers }: ExchangeAnswer,
    before: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    switch (status) {
      case 401:
        return before !== 401 && this.#authorize(host, headers['www-authenticate'], signal);
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

  /** Mirrors are sent no credentials: only who asks for a token gets one. */
  async #authorize(host: RegistryHost, challenge: string | undefined, signal: AbortSignal): Promise<boolean> {
    const [, realm] = /^Bearer realm="([^"]+)"/.exec(challenge ?? '') ?? [];
    if (realm === undefined) return false;
    const answer = await this.#exchange(host, 'GET', pathOf(realm), {}, signal);
    await answer?.body?.return();
    if (answer?.status !== 200) return false;
    this.#tokens.set(host.party, 'token');
    return true;
  }

  async #askOnce(
    host: RegistryHost,
    request: RegistryRequest,
    signal: AbortSignal,
  ): Promise<ExchangeAnswer | undefined> {
    const { method, registry, repository, resource } = request;
    const query = host.party.role === 'mirror' ? `?ns=${registry}` : '';
    const token = this.#tokens.get(host.party);
    const headers = token === undefined ? request.headers : { ...request.headers, authorization: `Bearer ${token}` };
    let target = `/v2/${repository}/${resource}${query}`;
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.#exchange(host, method, target, headers, signal);
      const location = answer?.headers['location'];
      const isElsewhere = answer !== undefined && answer.status >= 301 && answer.status <= 308;
      if (!isElsewhere || location === undefined || redirects === redirectsMax) return answer;
      await answer.body?.return();
      target = pathOf(location);
    }
  }

  async #exchange(
    { party, dialTimeoutUs }: RegistryHost,
    method: string,
    target: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<ExchangeAnswer | undefined> {
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

/** Redirects and tokens lead to the same party: what stands behind other names of it. */
function pathOf(location: string): string {
  return location.replace(/^https?:\/\/[^/]+/, '');
}
