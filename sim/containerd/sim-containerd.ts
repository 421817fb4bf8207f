import { defaultLimits, formatRange } from '../../core/index.ts';
import type { Body } from '../../core/index.ts';
import type { SimContent, SimImage } from '../content/catalogue.ts';
import { SymbolChunk } from '../content/symbols.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ExchangeAnswer } from '../network/exchange.ts';
import type { Party } from '../network/party.ts';
import { isReset } from '../network/wire-body.ts';
import type { Wire } from '../network/wire.ts';
import type { SimStore } from './sim-store.ts';
import type { Unpacker } from './unpacker.ts';

export interface SimContainerdDeps {
  readonly kernel: Kernel;
  readonly wire: Wire;
  readonly self: Party;
  readonly store: SimStore;
  /** Whom it asks, in order: what hosts.toml says, then the upstream. */
  readonly hosts: () => readonly Party[];
  /** Undefined: a pull ends with its last byte. */
  readonly unpacker: Unpacker | undefined;
}

/** `ok`, or why it failed. */
export type PullOutcome = 'ok' | 'no-host' | 'reset' | 'no-progress' | 'wrong-digest';

/** Layers that are fetched at once (`max_concurrent_downloads`). */
const downloadsAtOnce = 3;
/** Bodies cut by FIN without a byte of progress, until the pull fails (`httpreadseeker.go`). */
const triesMax = 3;

/** A containerd that pulls as the real one does: hosts in order, resumes after FIN, gives up after RST. */
export class SimContainerd {
  readonly #deps: SimContainerdDeps;

  constructor(deps: SimContainerdDeps) {
    this.#deps = deps;
  }

  async pull(image: SimImage, signal: AbortSignal): Promise<PullOutcome> {
    const { store } = this.#deps;
    const digest = await this.#resolve(image, signal);
    if (digest === undefined) return 'no-host';
    const first = await this.#fetch(image, image.manifest, signal);
    if (first !== 'ok') return first;
    const waiting = [image.config, ...image.layers].filter((content) => !store.has(content.digest));
    const arrivals = new Map(waiting.map((content) => [content, Promise.withResolvers<undefined>()]));
    const unpacked = this.#deps.unpacker?.unpack(
      image.layers.flatMap((content) => {
        const arrival = arrivals.get(content)?.promise;
        return arrival === undefined ? [] : [{ sizeBytes: content.sizeBytes, arrival }];
      }),
    );
    let outcome: PullOutcome = 'ok';
    const work = async (): Promise<void> => {
      for (let content = waiting.shift(); content !== undefined && outcome === 'ok'; content = waiting.shift()) {
        const ended = await this.#fetch(image, content, signal);
        if (ended === 'ok') arrivals.get(content)?.resolve(undefined);
        else outcome = ended;
      }
    };
    await Promise.all(Array.from({ length: downloadsAtOnce }, work));
    if (outcome === 'ok') await unpacked;
    if (outcome === 'ok') store.setTag(image.name, digest);
    return outcome;
  }

  /** HEAD of the tag at each host in turn. */
  async #resolve(image: SimImage, signal: AbortSignal): Promise<string | undefined> {
    for (const host of this.#deps.hosts()) {
      const answer = await this.#ask(host, image, 'HEAD', `manifests/${image.tag}`, {}, signal);
      if (answer?.status === 200) return answer.headers['docker-content-digest'];
    }
    return undefined;
  }

  async #fetch(image: SimImage, content: SimContent, signal: AbortSignal): Promise<PullOutcome> {
    const state = { offset: 0, isWrong: false, tries: 0 };
    const resource = `${content === image.manifest ? 'manifests' : 'blobs'}/${content.digest}`;
    while (state.offset < content.sizeBytes) {
      const body = await this.#open(image, resource, state.offset, signal);
      if (body === undefined) return 'no-host';
      const before = state.offset;
      const end = await this.#read(body, state);
      if (end === 'rst') return 'reset';
      state.tries = state.offset > before ? 0 : state.tries + 1;
      if (state.tries >= triesMax) return 'no-progress';
    }
    if (state.isWrong) return 'wrong-digest';
    this.#deps.store.commit(content, image.name);
    return 'ok';
  }

  /** The first host that answers with bytes from this offset. */
  async #open(image: SimImage, resource: string, offset: number, signal: AbortSignal): Promise<Body | undefined> {
    const headers = offset === 0 ? {} : { range: formatRange(offset) };
    for (const host of this.#deps.hosts()) {
      const answer = await this.#ask(host, image, 'GET', resource, headers, signal);
      if (answer?.body !== undefined && answer.status === (offset === 0 ? 200 : 206)) return answer.body;
      await answer?.body?.return();
    }
    return undefined;
  }

  /** Until its end; how it ended. */
  async #read(body: Body, state: { offset: number; isWrong: boolean }): Promise<'clean' | 'fin' | 'rst'> {
    try {
      for (;;) {
        const step = await body.next();
        if (step.done === true) return 'clean';
        if (step.value instanceof SymbolChunk)
          state.isWrong ||= step.value.wrongAt >= 0 || step.value.offset !== state.offset;
        state.offset += step.value.byteLength;
      }
    } catch (cause) {
      return isReset(cause) ? 'rst' : 'fin';
    }
  }

  async #ask(
    host: Party,
    image: SimImage,
    method: string,
    resource: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<ExchangeAnswer | undefined> {
    const query = host.role === 'mirror' ? `?ns=${image.registry}` : '';
    const request = { method, target: `/v2/${image.repository}/${resource}${query}`, headers };
    try {
      return await this.#deps.wire.exchange(this.#deps.self, host, request, signal, {
        dialTimeoutUs: defaultLimits.dialTimeoutUs,
      });
    } catch {
      return undefined;
    }
  }
}
