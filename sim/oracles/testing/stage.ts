import { routingKeyOf } from '../../../core/index.ts';
import type { PullStep, RequestText } from '../../../core/index.ts';
import type { SimImage } from '../../content/catalogue.ts';
import type { Party } from '../../network/party.ts';
import { policies } from '../../policies/named.ts';
import { createWorld } from '../../run/world.ts';
import type { SimNode, World } from '../../run/world.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { watchWith } from '../all.ts';
import type { Watching } from '../all.ts';
import type { OracleFactory, Violation } from '../oracle.ts';

const second = 1_000_000;
export const layerBytes = 20_000;

export const quiet: Scenario = {
  name: 'a stage',
  shows: 'what an oracle says of a story that was made up',
  cluster: {
    nodes: 3,
    zones: 1,
    upBytesPerSecond: 100 * second,
    downBytesPerSecond: 100 * second,
    latencyUs: 200,
    zoneLatencyUs: 200,
    mirrorBytesPerSecond: 2_000 * second,
  },
  upstream: { bytesPerSecond: 100 * second, latencyUs: 5_000 },
  images: [{ name: 'docker.io/library/app:1', layerBytes: [layerBytes] }],
  workload: [{ atUs: 0, node: 0, image: 'docker.io/library/app:1' }],
  faults: [],
  untilUs: 3_600 * second,
};

/** A world in which nothing happens but what a test says. */
export class Stage {
  readonly world: World;
  readonly #watching: Watching;
  readonly #pullIds = new Map<string, number>();
  #exchanges = 0;

  constructor(watched: Readonly<Record<string, OracleFactory>>, changes: Partial<Scenario> = {}) {
    const scenario = { ...quiet, ...changes };
    this.world = createWorld(scenario, { seed: 1, policy: policies.peili, drain: 'tick' });
    this.#watching = watchWith(watched, this.world, scenario);
  }

  get image(): SimImage {
    return [...this.world.images.values()][0] as SimImage;
  }

  get layer(): SimImage['config'] {
    return this.image.layers[0] as SimImage['config'];
  }

  node(index: number): SimNode {
    return this.world.nodes[index] as SimNode;
  }

  mirror(index: number): Party {
    return this.node(index).mirror?.party as Party;
  }

  client(index: number): Party {
    return { host: this.node(index).host, role: 'containerd', life: this.mirror(index).life, server: undefined };
  }

  /** What is waited for happens, and nothing else: mirrors have gone, or they would go on with their own work. */
  async wait(delayUs: number): Promise<void> {
    await this.world.kernel.run({ untilUs: this.world.kernel.nowUs() + delayUs });
  }

  /** A request on its way; returns the number of its exchange. */
  ask(from: Party, to: Party, headers: Readonly<Record<string, string>> = {}, target = this.layerTarget): number {
    this.#exchanges += 1;
    const request: RequestText = { method: 'GET', target, headers };
    this.world.trace.emit({ type: 'request', exchange: this.#exchanges, from, to, request });
    return this.#exchanges;
  }

  get layerTarget(): string {
    return `/v2/library/app/blobs/${this.layer.digest}?ns=docker.io`;
  }

  head(exchange: number, status: number, headers: Readonly<Record<string, string>> = {}): void {
    this.world.trace.emit({ type: 'head', exchange, status, headers });
  }

  /** A router is told that another node has the layer, by that node itself. */
  tellsRouter(router: number, sender: number): void {
    const key = routingKeyOf(this.world.digester, this.layer.digest);
    const self = this.node(sender).mirror?.seat?.self;
    if (self === undefined) return;
    const { incarnation } = self;
    const batch = {
      incarnation,
      sequence: 1_000,
      complete: false,
      add: [{ key }],
      withdraw: [],
      ttlUs: 1_200 * second,
    };
    this.node(router).mirror?.seat?.handler?.onBatch(self, batch);
  }

  /** The tag, as node 0 answers it to its client. */
  tagHead(digest: string): void {
    const exchange = this.ask(this.client(0), this.mirror(0), {}, '/v2/library/app/manifests/1?ns=docker.io');
    this.head(exchange, 200, { 'docker-content-digest': digest });
  }

  /** The head of the layer, or of a part of it. */
  layerHead(exchange: number, status = 200, lengthBytes = layerBytes): void {
    this.head(exchange, status, {
      'content-length': String(lengthBytes),
      'docker-content-digest': this.layer.digest,
    });
  }

  bytes(exchange: number, offset: number, bytes: number, blob = this.layer.id, isWrong = false): void {
    this.world.trace.emitBytes(exchange, bytes, isWrong, this.world.kernel.nowUs(), blob, offset);
  }

  ends(exchange: number, how = 'complete'): void {
    this.world.trace.emit({ type: 'exchange-end', exchange, how });
  }

  /** What a mirror tells of a request. `start` begins another one. */
  tells(node: number, step: PullStep): void {
    const { name } = this.node(node);
    const before = this.#pullIds.get(name) ?? 0;
    const pullId = step.type === 'start' ? before + 1 : before;
    this.#pullIds.set(name, pullId);
    this.world.trace.emit({
      type: 'mirror-pull',
      node: name,
      event: { ...step, pullId, atUs: this.world.kernel.nowUs() },
    });
  }

  starts(node: number, changes: Partial<PullStep & { readonly type: 'start' }> = {}): void {
    this.tells(node, {
      type: 'start',
      method: 'GET',
      resource: 'blob',
      key: this.layer.digest,
      registry: 'docker.io',
      repository: 'library/app',
      mirrored: false,
      range: undefined,
      ...changes,
    });
  }

  attempt(node: number, source: string, from = 0, hedge = false): void {
    this.tells(node, { type: 'attempt', source, zone: 'z0', from, hedge });
  }

  endOfPull(node: number, changes: Partial<PullStep & { readonly type: 'end' }> = {}): void {
    this.tells(node, { type: 'end', reason: 'complete', status: 200, bytes: layerBytes, tookUs: 1_000, ...changes });
  }

  pull(outcome: string): void {
    const node = this.node(0).name;
    this.world.trace.emit({ type: 'pull-begin', pull: 0, node, image: this.image.name });
    if (outcome !== '') this.world.trace.emit({ type: 'pull-end', pull: 0, node, outcome });
  }

  get violations(): readonly Violation[] {
    return this.#watching.violations;
  }

  /** The first thing that an oracle had against it, or ''. */
  async verdict(): Promise<string> {
    await this.#watching.end();
    return this.#watching.violations[0]?.message ?? '';
  }
}
