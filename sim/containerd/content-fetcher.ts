import { errorCodeOf, formatRange } from '../../core/index.ts';
import type { Body } from '../../core/index.ts';
import type { SimContent, SimImage } from '../content/catalogue.ts';
import type { Disk } from '../disk/disk.ts';
import type { ExchangeAnswer } from '../network/exchange.ts';
import { reopeningsMax } from './containerd-options.ts';
import type { ContainerdOptions } from './containerd-options.ts';
import type { Ingest } from './ingests.ts';
import { ParallelStream } from './parallel-stream.ts';
import type { PullReport } from './pull-report.ts';
import type { RegistryClient, RegistryHost } from './registry-client.ts';
import type { Lease, SimStore } from './sim-store.ts';
import { endedStream, skip, streamOf } from './stream.ts';
import type { BlobStream } from './stream.ts';
import type { Turns } from './turns.ts';

/**
 * Why a pull failed. `no-host`: nobody had it; `reset`: RST; `no-progress`: cut again and again; `short`: a clean end too early; `wrong-digest`: the commit;
 * `parts-failed`: an error of one of parallel ranges; `empty-content`: containerd takes no blob of 0 bytes; `cancelled`: its own timer, or whoever asked for it.
 */
export type PullFailure =
  'no-host' | 'reset' | 'no-progress' | 'short' | 'wrong-digest' | 'parts-failed' | 'empty-content' | 'cancelled';

export interface ContentFetcherDeps {
  readonly store: SimStore;
  readonly client: RegistryClient;
  readonly hosts: readonly RegistryHost[];
  /** Requests of the whole node. */
  readonly requests: Turns;
  /** One writer for each digest. */
  readonly lock: (digest: string, signal: AbortSignal) => Promise<() => void>;
  readonly disk: Disk | undefined;
  readonly report: PullReport;
  readonly lease: Lease;
}

/** Brings the contents of one image into the store (core/remotes/handlers.go, core/remotes/docker/{fetcher,httpreadseeker}.go). */
export class ContentFetcher {
  readonly #deps: ContentFetcherDeps;
  readonly #options: ContainerdOptions;
  readonly #image: Pick<SimImage, 'name' | 'registry' | 'repository'>;

  constructor(
    deps: ContentFetcherDeps,
    options: ContainerdOptions,
    image: Pick<SimImage, 'name' | 'registry' | 'repository'>,
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#image = image;
  }

  /** Nothing is asked for what is there already. */
  async fetch(content: SimContent, signal: AbortSignal): Promise<'ok' | PullFailure> {
    const { lease, lock, store } = this.#deps;
    let unlock: (() => void) | undefined;
    try {
      unlock = await lock(content.digest, signal);
      lease.add(content.digest);
      if (store.has(content.digest)) return 'ok';
      if (content.sizeBytes === 0) return 'empty-content';
      return await this.#ingest(store.ingests.open(content), signal);
    } catch (cause) {
      if (errorCodeOf(cause) === 'ABORTED' && signal.aborted) return 'cancelled';
      throw cause;
    } finally {
      unlock?.();
    }
  }

  async #ingest(ingest: Ingest, signal: AbortSignal): Promise<'ok' | PullFailure> {
    const { report, store } = this.#deps;
    const { content } = ingest;
    try {
      const copied = await this.#copy(ingest, signal);
      if (copied !== 'ok') return copied;
      await this.#deps.disk?.sync(content.digest);
      if (ingest.isWrong || ingest.offset !== content.sizeBytes) return 'wrong-digest';
      store.ingests.remove(ingest);
      store.commit(content, this.#image.name);
      return 'ok';
    } finally {
      ingest.isOpen = false;
      report.done(ingest);
    }
  }

  /** What `content.Copy` and the reader under it do: a body that was cut goes on at its offset, wherever there is one that has it. */
  async #copy(ingest: Ingest, signal: AbortSignal): Promise<'ok' | PullFailure> {
    const { disk, report } = this.#deps;
    const { content } = ingest;
    let stream = await this.#open(ingest, signal);
    let cuts = 0;
    try {
      while (stream !== undefined) {
        const step = await stream.next();
        if (typeof step !== 'string') {
          cuts = 0;
          ingest.write(step);
          report.grew(ingest, step.byteLength);
          await disk?.write(content.digest, step.byteLength);
        } else if (step === 'fin') {
          cuts += 1;
          if (cuts > reopeningsMax) return 'no-progress';
          // The turn is given back before another one is taken: it goes to whoever waits.
          stream.close();
          stream = await this.#open(ingest, signal);
        } else if (step === 'clean') return ingest.offset < content.sizeBytes ? 'short' : 'ok';
        else if (step === 'rst') return 'reset';
        else return signal.aborted ? 'cancelled' : 'parts-failed';
      }
      return signal.aborted ? 'cancelled' : 'no-host';
    } finally {
      stream?.close();
    }
  }

  /** From the ingest's offset, at the first host that has it. */
  async #open(ingest: Ingest, signal: AbortSignal): Promise<BlobStream | undefined> {
    const { content, offset } = ingest;
    // A failed commit leaves all of its bytes behind: as long as they are there, nobody is asked again.
    if (offset >= content.sizeBytes) return endedStream;
    const resource = `${content.isManifest ? 'manifests' : 'blobs'}/${content.digest}`;
    for (const host of this.#deps.hosts) {
      const answer = await this.#ask(host, resource, this.#isRanged(offset) ? offset : undefined, signal);
      const stream = answer === undefined ? undefined : await this.#accept(answer, host, resource, offset, signal);
      if (stream !== undefined) return stream;
    }
    return undefined;
  }

  get #partsAtOnce(): number {
    const { downloadsAtOnce, fetchBufferBytes } = this.#options;
    return fetchBufferBytes >= partBytesMin ? downloadsAtOnce : 1;
  }

  #isRanged(offset: number): boolean {
    return offset > 0 || this.#partsAtOnce > 1;
  }

  async #accept(
    { status, headers, body }: ExchangeAnswer & { readonly body: Body },
    host: RegistryHost,
    resource: string,
    offset: number,
    signal: AbortSignal,
  ): Promise<BlobStream | undefined> {
    const stream = streamOf(body, signal);
    // Of a 206 nothing is compared (2.1.5 and later): whatever range it is, it is taken for the one that was asked for.
    if (status !== 206) {
      const range = headers['content-range'];
      const rest = range === undefined && this.#isRanged(offset) ? await skip(stream, offset) : stream;
      if (typeof rest !== 'string' && range?.startsWith(`bytes ${offset}-`) !== false) return rest;
      stream.close();
      return undefined;
    }
    const { fetchBufferBytes: partBytes } = this.#options;
    const sizeBytes = Number(headers['content-length'] ?? 0);
    if (this.#partsAtOnce === 1 || sizeBytes <= partBytes) return stream;
    const ask = async (at: number, partSignal: AbortSignal): Promise<Body | 'failed'> =>
      (await this.#ask(host, resource, at, partSignal))?.body ?? 'failed';
    return new ParallelStream({
      first: body,
      offset,
      sizeBytes,
      partBytes,
      partsAtOnce: this.#partsAtOnce,
      ask,
      signal,
    });
  }

  /** An answer with content, which holds one of the node's turns until its body is let go; undefined for all else. */
  async #ask(
    host: RegistryHost,
    resource: string,
    offset: number | undefined,
    signal: AbortSignal,
  ): Promise<(ExchangeAnswer & { readonly body: Body }) | undefined> {
    const { client, requests } = this.#deps;
    const { registry, repository } = this.#image;
    const headers = offset === undefined ? {} : { range: formatRange(offset) };
    const giveBack = await requests.take(signal);
    const answer = await client.ask(host, { method: 'GET', registry, repository, resource, headers }, signal);
    if (answer?.body !== undefined && answer.status <= 299) return { ...answer, body: holding(answer.body, giveBack) };
    await answer?.body?.return();
    giveBack();
    return undefined;
  }
}

/** Less is as if there were no buffer (`minChunkSize` in fetcher.go). */
const partBytesMin = 512;

function holding(body: Body, giveBack: () => void): Body {
  return {
    next: () => body.next(),
    return: () => {
      giveBack();
      return body.return();
    },
  };
}
