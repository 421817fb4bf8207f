import type { PullEvent } from '../../core/index.ts';
import type { SimResult } from '../run/simulate.ts';
import type { SimEvent } from '../run/trace.ts';
import type { World } from '../run/world.ts';
import { Egress } from './egress.ts';
import { PullRecorder } from './pull-recorder.ts';
import type { FaultRecord, ObjectRecord, RunRecord } from './run-record.ts';

export interface RunRecording {
  /** What was seen until now. */
  record(result: SimResult): RunRecord;
}

interface Exchange {
  /** Undefined: of a mirror, or of nobody's pull. */
  readonly pull: PullRecorder | undefined;
  readonly isUpstream: boolean;
  readonly key: string;
  readonly to: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Keeps of a run what a report shows: give it to `simulate` as `onWorld`. */
export function recordRun(world: World): RunRecording {
  const recorder = new RunRecorder(world);
  world.trace.watch((event) => {
    recorder.see(event);
  });
  return { record: (result) => recorder.record(result) };
}

class RunRecorder {
  readonly #world: World;
  readonly #egress = new Egress();
  readonly #pulls = new Map<number, PullRecorder>();
  readonly #byNode = new Map<string, PullRecorder[]>();
  readonly #exchanges = new Map<number, Exchange>();
  readonly #mirrorPulls = new Map<string, { readonly pull: PullRecorder | undefined; readonly key: string }>();
  readonly #faults: Mutable<FaultRecord>[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  see(event: SimEvent): void {
    switch (event.type) {
      case 'pull-begin':
        return this.#begin(event.pull, event.node, event.image, event.atUs);
      case 'pull-end':
        return this.#pulls.get(event.pull)?.end(event.outcome, event.atUs);
      case 'request':
        return this.#request(event);
      case 'head': {
        const exchange = this.#exchanges.get(event.exchange);
        const isError = event.status >= 400 && event.status !== 404;
        if (isError) exchange?.pull?.step(exchange.key, `${exchange.to} answers ${event.status}`, event.atUs);
        return;
      }
      case 'bytes':
        return this.#bytes(event);
      case 'exchange-end': {
        const exchange = this.#exchanges.get(event.exchange);
        this.#exchanges.delete(event.exchange);
        if (event.how !== 'complete' && event.how !== 'closed')
          exchange?.pull?.step(exchange.key, `the connection to ${exchange.to} ended: ${event.how}`, event.atUs);
        return;
      }
      case 'mirror-pull':
        return this.#mirror(event.node, event.event, event.atUs);
      case 'fault':
        return this.#fault(event.kind, event.target, event.phase, event.atUs);
      default:
    }
  }

  record({ policy, pulls, scenario, seed }: SimResult): RunRecord {
    const nowUs = this.#world.kernel.nowUs();
    const ends = pulls.map(({ startUs, tookUs }) => startUs + (tookUs ?? 0));
    return {
      scenario,
      policy,
      seed,
      startUs: Math.min(...pulls.map(({ startUs }) => startUs)),
      endUs: pulls.some(({ tookUs }) => tookUs === undefined) ? nowUs : Math.max(...ends),
      nodes: this.#world.nodes.map(({ name, host }) => ({ name, zone: host.zone })),
      pulls: [...this.#pulls.values()].map((pull) => pull.record()),
      faults: this.#faults,
      egress: this.#egress.record(),
    };
  }

  #begin(pull: number, node: string, image: string, atUs: number): void {
    const { manifest, config, layers } = this.#world.images.get(image) ?? {};
    const sizeBytes = [manifest, config, ...(layers ?? [])].reduce(
      (sum, content) => sum + (content?.sizeBytes ?? 0),
      0,
    );
    const recorder = new PullRecorder(node, image, sizeBytes, atUs);
    this.#pulls.set(pull, recorder);
    this.#byNode.set(node, [...(this.#byNode.get(node) ?? []), recorder]);
  }

  /** The pull of a node that a request belongs to, by its repository. */
  #pullOf(node: string, repository: string): PullRecorder | undefined {
    return this.#byNode.get(node)?.find((pull) => pull.isOpen && pull.repository === repository);
  }

  #request({ exchange, from, to, request, atUs }: SimEvent & { readonly type: 'request' }): void {
    const isUpstream = to === this.#world.upstream;
    const [, repository = '', resource = '', key = ''] =
      /^\/v2\/(.+)\/(manifests|blobs)\/([^?]+)/.exec(request.target) ?? [];
    const pull = from.role === 'containerd' ? this.#pullOf(from.host.name, repository) : undefined;
    const kind: ObjectRecord['kind'] = resource === 'blobs' ? 'blob' : key.includes(':') ? 'manifest' : 'tag';
    pull?.request(key, kind, atUs);
    if (pull !== undefined || isUpstream)
      this.#exchanges.set(exchange, { pull, isUpstream, key, to: isUpstream ? 'upstream' : 'the own mirror' });
  }

  #bytes({ atUs, bytes, exchange: id, sinceUs }: SimEvent & { readonly type: 'bytes' }): void {
    const exchange = this.#exchanges.get(id);
    if (exchange === undefined) return;
    if (exchange.isUpstream) this.#egress.add(sinceUs, atUs, bytes);
    exchange.pull?.bytes(exchange.key, exchange.isUpstream, bytes, atUs);
  }

  #mirror(node: string, event: PullEvent, atUs: number): void {
    const id = `${node} ${event.pullId}`;
    if (event.type === 'start') {
      const pull = event.mirrored ? undefined : this.#pullOf(node, event.repository);
      this.#mirrorPulls.set(id, { pull, key: event.key });
    }
    const known = this.#mirrorPulls.get(id);
    known?.pull?.mirror(event, known.key, atUs);
    if (event.type === 'end') this.#mirrorPulls.delete(id);
  }

  #fault(kind: string, target: string, phase: 'begin' | 'end', atUs: number): void {
    const name = /^\d+$/.test(target) ? (this.#world.nodes[Number(target)]?.name ?? target) : target;
    if (phase === 'begin') {
      this.#faults.push({ kind, target: name, fromUs: atUs, toUs: undefined });
      return;
    }
    const open = this.#faults.find((fault) => fault.kind === kind && fault.target === name && fault.toUs === undefined);
    if (open !== undefined) open.toUs = atUs;
  }
}
