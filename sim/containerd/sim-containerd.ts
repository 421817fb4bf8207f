import { isDigest, openScope } from '../../core/index.ts';
import type { Scope } from '../../core/index.ts';
import type { Catalogue, Document, SimContent, SimImage } from '../content/catalogue.ts';
import { mediaTypes } from '../content/image-texts.ts';
import type { Disk } from '../disk/disk.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Party } from '../network/party.ts';
import type { Wire } from '../network/wire.ts';
import { defaultContainerdOptions } from './containerd-options.ts';
import type { ContainerdOptions } from './containerd-options.ts';
import { ContentFetcher } from './content-fetcher.ts';
import type { PullFailure } from './content-fetcher.ts';
import { ProgressTimer } from './progress-timer.ts';
import { PullReport } from './pull-report.ts';
import { RegistryClient } from './registry-client.ts';
import type { RegistryHost } from './registry-client.ts';
import type { SimStore } from './sim-store.ts';
import { Turns } from './turns.ts';
import type { Unpacker } from './unpacker.ts';

export interface SimContainerdDeps {
  readonly kernel: Kernel;
  readonly wire: Pick<Wire, 'exchange'>;
  readonly self: Party;
  readonly store: SimStore;
  readonly catalogue: Catalogue;
  /** Whom it asks, in order: what hosts.toml says, then the upstream. */
  readonly hosts: () => readonly Party[];
  /** Undefined: a pull ends with its last byte. */
  readonly unpacker?: Unpacker | undefined;
  /** @default writes cost nothing */
  readonly disk?: Disk | undefined;
}

export type PullOutcome = 'ok' | PullFailure;

/** An image as whoever wants it names it. */
export type ImageName = Pick<SimImage, 'name' | 'registry' | 'repository' | 'tag'>;

/**
 * A containerd that pulls as 2.1 does by its transfer service: the facts are in its sources (core/transfer/local/pull.go, core/unpack/unpacker.go, and what the
 * files beside this one name), and were tried with 2.1.9.
 */
export class SimContainerd {
  readonly #deps: SimContainerdDeps;
  readonly #options: ContainerdOptions;
  readonly #requests: Turns;
  readonly #writers = new Map<string, Turns>();
  /** Chains of layers that are unpacked, by the numbers of their contents. */
  readonly #snapshots = new Set<string>();

  constructor(deps: SimContainerdDeps, options: Partial<ContainerdOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...defaultContainerdOptions, ...options };
    this.#requests = new Turns(this.#options.downloadsAtOnce);
  }

  /** It as a program on its host. */
  get party(): Party {
    return this.#deps.self;
  }

  /** As CRI's PullImage: resolves when it would return. */
  async pull(image: ImageName, signal: AbortSignal): Promise<PullOutcome> {
    const { kernel, store, self } = this.#deps;
    const scope = openScope(signal);
    const timer = new ProgressTimer(
      {
        life: self.life,
        nowUs: () => kernel.nowUs(),
        onTimeout: () => {
          scope.abort();
        },
      },
      this.#options.progressTimeoutUs,
    );
    const lease = store.lease();
    const report = new PullReport(timer, this.#options.pullBy);
    try {
      const outcome = await this.#pull(image, { scope, report, lease });
      // What had come is kept by nothing but the lease.
      if (outcome !== 'ok') store.collectSoon();
      return outcome;
    } finally {
      timer.stop();
      lease.end();
      scope.close();
    }
  }

  /** As `crictl rmi`. */
  removeImage(name: string): void {
    this.#snapshots.clear();
    this.#deps.store.removeImage(name);
  }

  async #pull(
    image: ImageName,
    { scope, report, lease }: { readonly scope: Scope; readonly report: PullReport; readonly lease: Lease },
  ): Promise<PullOutcome> {
    const { catalogue, disk, self, store, wire } = this.#deps;
    const client = new RegistryClient({ wire, self }, report);
    const hosts = this.#hosts();
    const digest = await this.#resolve(client, hosts, image, scope.signal);
    const root = digest === undefined ? undefined : catalogue.find(digest);
    if (root === undefined) return scope.signal.aborted ? 'cancelled' : 'no-host';
    const lock = (key: string, signal: AbortSignal): Promise<() => void> => this.#lock(key, signal);
    const fetcher = new ContentFetcher(
      { store, client, hosts, requests: this.#requests, lock, disk, report, lease },
      this.#options,
      image,
    );
    const outcome = await this.#fetchAll(root, fetcher, scope);
    if (outcome !== 'ok') return outcome;
    store.setTag(image.name, root.digest);
    return 'ok';
  }

  #hosts(): readonly RegistryHost[] {
    const { mirrorDialTimeoutUs, upstreamDialTimeoutUs } = this.#options;
    const parties = this.#deps.hosts();
    return parties.map((party, index) => ({
      party,
      dialTimeoutUs: party.role === 'mirror' ? mirrorDialTimeoutUs : upstreamDialTimeoutUs,
      isLast: index === parties.length - 1,
    }));
  }

  /** HEAD of the tag at each host in turn: whoever answers first is believed. */
  async #resolve(
    client: RegistryClient,
    hosts: readonly RegistryHost[],
    { registry, repository, tag }: ImageName,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    for (const host of hosts) {
      if (host.party.role === 'mirror' && !this.#options.mirrorsResolve) continue;
      const request = { method: 'HEAD', registry, repository, resource: `manifests/${tag}`, headers: {} } as const;
      const answer = await client.ask(host, request, signal);
      await answer?.body?.return();
      if (answer === undefined || answer.status > 299) continue;
      return isDigest(tag) ? tag : answer.headers['docker-content-digest'];
    }
    return undefined;
  }

  /** The index, the manifest of the platform, the config, then the layers, side by side. */
  async #fetchAll(root: SimContent, fetcher: ContentFetcher, scope: Scope): Promise<PullOutcome> {
    const { signal } = scope;
    const first = await fetcher.fetch(root, signal);
    if (first !== 'ok') return first;
    let document = this.#deps.catalogue.document(root);
    const ours = document?.manifests.find(({ platform }) => platform === this.#options.platform);
    if (ours !== undefined) {
      const fetched = await fetcher.fetch(ours.content, signal);
      if (fetched !== 'ok') return fetched;
      document = this.#deps.catalogue.document(ours.content);
    }
    if (document?.config === undefined) return 'ok';
    const config = await fetcher.fetch(document.config, signal);
    return config === 'ok' ? this.#fetchLayers(document, fetcher, scope) : config;
  }

  /** Layers below the first one that is not unpacked here are not even looked for. The first failure cancels all others. */
  async #fetchLayers({ config, layers }: Document, fetcher: ContentFetcher, scope: Scope): Promise<PullOutcome> {
    const { store, unpacker } = this.#deps;
    const chains = chainsOf(layers);
    const isUnpacked = unpacker !== undefined && config?.mediaType === mediaTypes.config;
    const have = isUnpacked ? chains.findIndex((chain) => !this.#snapshots.has(chain)) : 0;
    const missing = have === -1 ? [] : layers.slice(have);
    let failure: PullFailure | undefined;
    const arriving = missing.map((content) => {
      const arrival = fetcher.fetch(content, scope.signal).then((outcome) => {
        if (outcome === 'ok') return true;
        if (failure === undefined) {
          failure = outcome;
          scope.abort();
        }
        return false;
      });
      return { content, arrival };
    });
    if (isUnpacked) await unpacker.unpack(arriving);
    await Promise.all(arriving.map(({ arrival }) => arrival));
    if (failure !== undefined) return failure;
    if (isUnpacked) for (const chain of chains) this.#snapshots.add(chain);
    if (this.#options.discardUnpackedLayers) for (const { digest } of layers) store.remove(digest);
    return 'ok';
  }

  async #lock(digest: string, signal: AbortSignal): Promise<() => void> {
    const writer = this.#writers.get(digest) ?? new Turns(1);
    this.#writers.set(digest, writer);
    const giveBack = await writer.take(signal);
    return () => {
      giveBack();
      if (writer.isIdle(1)) this.#writers.delete(digest);
    };
  }
}

type Lease = ReturnType<SimStore['lease']>;

/** Each layer with all below it. */
function chainsOf(layers: readonly SimContent[]): readonly string[] {
  let chain = '';
  return layers.map(({ id }) => {
    chain += `/${id}`;
    return chain;
  });
}
