import type { DistributionResponse, RequestText } from '../../core/index.ts';
import type { Catalogue, SimContent, SimImage } from '../content/catalogue.ts';
import { askedFor, empty, serveContent } from '../containerd/serve-content.ts';
import type { SimStore } from '../containerd/sim-store.ts';
import type { Server } from '../network/party.ts';

/** The registry that images come from in the first place. */
export class SimUpstream implements Server {
  readonly #catalogue: Catalogue;
  readonly #store: SimStore;
  readonly #tags = new Map<string, SimContent>();

  constructor(catalogue: Catalogue, store: SimStore) {
    this.#catalogue = catalogue;
    this.#store = store;
  }

  /** Serves the image from now on; its tag means this one. */
  add(image: SimImage): void {
    for (const content of this.#catalogue.reach(image.root)) this.#store.commit(content, image.name);
    this.#tags.set(`${image.repository}:${image.tag}`, image.root);
  }

  async answer(request: RequestText, signal: AbortSignal): Promise<DistributionResponse> {
    const asked = askedFor(request.target);
    if (asked === undefined) return empty(404);
    const { isDigest, reference, repository } = asked;
    const content = isDigest ? this.#catalogue.find(reference) : this.#tags.get(`${repository}:${reference}`);
    return serveContent(this.#store, content, request, signal);
  }
}
