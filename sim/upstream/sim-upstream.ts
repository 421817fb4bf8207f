import type { DistributionResponse, RequestText } from '../../core/index.ts';
import type { Catalogue, SimContent, SimImage } from '../content/catalogue.ts';
import { askedFor, empty, serveContent } from '../containerd/serve-content.ts';
import type { SimStore } from '../containerd/sim-store.ts';
import type { Party, Server } from '../network/party.ts';
import { ManifestQuota } from './manifest-quota.ts';
import type { UpstreamSpec } from './upstream-spec.ts';

/** Where a registry sends its clients. The text stands for a whole URL: it is never resolved. */
export const tokenRealm = 'https://auth.upstream/token';
export const storageUrl = 'https://storage.upstream';

const tokenLifetimeUs = 300_000_000;

export interface SimUpstreamDeps {
  readonly catalogue: Catalogue;
  readonly store: SimStore;
  readonly nowUs: () => number;
}

/** The registry that images come from in the first place. */
export class SimUpstream implements Server {
  readonly #deps: SimUpstreamDeps;
  readonly #spec: UpstreamSpec;
  readonly #tags = new Map<string, SimContent>();
  readonly #quota: ManifestQuota | undefined;

  constructor(deps: SimUpstreamDeps, spec: UpstreamSpec) {
    this.#deps = deps;
    this.#spec = spec;
    this.#quota = spec.manifestLimit === undefined ? undefined : new ManifestQuota(spec.manifestLimit);
  }

  /** Serves the image from now on; its tag means this one. */
  add(image: SimImage): void {
    for (const content of this.#deps.catalogue.reach(image.root)) this.#deps.store.commit(content, image.name);
    this.#tags.set(`${image.repository}:${image.tag}`, image.root);
  }

  async answer(request: RequestText, signal: AbortSignal, from?: Party): Promise<DistributionResponse> {
    const { method, headers } = request;
    const { catalogue, nowUs, store } = this.#deps;
    const asked = askedFor(request.target);
    if (asked === undefined) return empty(404);
    const { isDigest, kind, reference, repository } = asked;
    if (this.#spec.token !== undefined && !this.#isFresh(headers['authorization'])) {
      const challenge = `Bearer realm="${tokenRealm}",scope="repository:${repository}:pull"`;
      return empty(401, { 'www-authenticate': challenge });
    }
    if (method === 'GET' && kind === 'manifests') {
      const retryAfterS = this.#quota?.take(from?.host.name ?? '', nowUs());
      if (retryAfterS !== undefined) return empty(429, { 'retry-after': String(retryAfterS) });
    }
    const content = isDigest ? catalogue.find(reference) : this.#tags.get(`${repository}:${reference}`);
    const isStored = content !== undefined && store.has(content.digest);
    if (isStored && kind === 'blobs' && method === 'GET' && this.#spec.storage !== undefined)
      return empty(307, { location: `${storageUrl}/${content.digest}` });
    return serveContent(store, content, request, signal);
  }

  /** Who asks for a token is given one. */
  readonly tokens: Server = {
    answer: async () => empty(200, { 'x-token': String(this.#deps.nowUs()) }),
  };

  /** What redirects lead to. */
  readonly storage: Server = {
    answer: async (request, signal) => {
      const content = this.#deps.catalogue.find(request.target.slice(storageUrl.length + 1));
      return serveContent(this.#deps.store, content, request, signal);
    },
  };

  #isFresh(authorization: string | undefined): boolean {
    const [, issuedAtUs] = /^Bearer (\d+)$/.exec(authorization ?? '') ?? [];
    const { lifetimeUs = tokenLifetimeUs } = this.#spec.token ?? {};
    return issuedAtUs !== undefined && this.#deps.nowUs() - Number(issuedAtUs) < lifetimeUs;
  }
}
