import { formatContentRange, parseRange, resolveRange } from '../../core/index.ts';
import type { DistributionResponse, RequestText } from '../../core/index.ts';
import type { Catalogue, SimContent, SimImage } from '../content/catalogue.ts';
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
    for (const content of [image.manifest, image.config, ...image.layers]) this.#store.commit(content, image.name);
    this.#tags.set(`${image.repository}:${image.tag}`, image.manifest);
  }

  async answer({ method, target, headers }: RequestText, signal: AbortSignal): Promise<DistributionResponse> {
    const [, repository = '', kind = '', reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^?]+)/.exec(target) ?? [];
    const content =
      kind === 'manifests' && !reference.includes(':')
        ? this.#tags.get(`${repository}:${reference}`)
        : this.#catalogue.find(reference);
    if (content === undefined || !this.#store.has(content.digest))
      return { status: 404, headers: { 'content-length': '0' } };
    const range = resolveRange(parseRange(headers['range']), content.sizeBytes, { mirrored: false });
    if (range.type === 'unsatisfiable') return { status: 416, headers: { 'content-length': '0' } };
    const isPart = range.type === 'part';
    const [start, end] = isPart ? [range.start, range.end] : [0, content.sizeBytes];
    const head = {
      'content-length': String(end - start),
      'content-type': content.mediaType,
      'docker-content-digest': content.digest,
      ...(isPart
        ? { 'content-range': formatContentRange({ type: 'part', start, end, sizeBytes: content.sizeBytes }) }
        : {}),
    };
    const status = isPart ? 206 : 200;
    if (method === 'HEAD') return { status, headers: head };
    return { status, headers: head, body: await this.#store.open(content.digest, start, end, signal) };
  }
}
