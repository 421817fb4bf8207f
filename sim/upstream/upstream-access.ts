import type { RequestText } from '../../core/index.ts';
import type { ExchangeAnswer } from '../network/exchange.ts';
import type { Party } from '../network/party.ts';
import type { Wire } from '../network/wire.ts';
import { storageUrl } from './sim-upstream.ts';

export interface UpstreamHosts {
  readonly upstream: Party;
  readonly tokens: Party | undefined;
  readonly storage: Party | undefined;
}

/** As containerd's resolver speaks with registries: tokens are fetched where they are wanted, redirects are followed. To mirrors it is the wire alone. */
export class UpstreamAccess implements Pick<Wire, 'exchange'> {
  readonly #wire: Pick<Wire, 'exchange'>;
  readonly #hosts: UpstreamHosts;
  /** By the repository that they are for. */
  readonly #tokens = new Map<string, string>();

  constructor(wire: Pick<Wire, 'exchange'>, hosts: UpstreamHosts) {
    this.#wire = wire;
    this.#hosts = hosts;
  }

  async exchange(...[from, to, request, signal, options]: Parameters<Wire['exchange']>): Promise<ExchangeAnswer> {
    const { storage, tokens, upstream } = this.#hosts;
    const ask = (host: Party, asked: RequestText): Promise<ExchangeAnswer> =>
      this.#wire.exchange(from, host, asked, signal, options);
    if (to !== upstream || (storage === undefined && tokens === undefined)) return ask(to, request);
    const repository = /^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(request.target)?.[1] ?? '';
    let answer = await ask(to, this.#authorized(request, repository));
    if (answer.status === 401 && tokens !== undefined) {
      const given = await ask(tokens, { method: 'GET', target: `/token?scope=${repository}`, headers: {} });
      const token = given.headers['x-token'];
      if (given.status !== 200 || token === undefined) return given;
      this.#tokens.set(repository, token);
      answer = await ask(to, this.#authorized(request, repository));
    }
    const { location } = answer.headers;
    if (answer.status !== 307 || storage === undefined || location?.startsWith(storageUrl) !== true) return answer;
    return ask(storage, { ...request, target: location });
  }

  #authorized(request: RequestText, repository: string): RequestText {
    const token = this.#tokens.get(repository);
    if (token === undefined) return request;
    return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
  }
}
