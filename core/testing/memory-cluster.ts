import { abortedError, onAbort } from '../abort.ts';
import { PeiliError } from '../errors.ts';
import type {
  Clock,
  Member,
  MemberKind,
  Membership,
  MembershipChange,
  RecordBatch,
  Records,
  RecordsHandler,
  RoutingKey,
} from '../ports/index.ts';
import { sha256 } from './sha256-digester.ts';

/** Membership and Records of many nodes in one process, over a clock: what the network does to each call is a test's to say. */
export interface MemoryCluster {
  /** A node that knows everybody, and that everybody knows; `isAlone`: nobody knows anybody until `introduce`. */
  add(id: string, options?: NodeOptions): MemoryPorts;
  /** The node forgets everything and begins a new incarnation; who knows it is told. Its old ports are dead. */
  restart(id: string): MemoryPorts;
  /** The node stops answering. Members do not notice. */
  kill(id: string): void;
  /** Everybody forgets the node. */
  remove(id: string): void;
  /** `who` gets to know `whom`; one way. */
  introduce(who: string, whom: string): void;
  /** What happens to calls from now on. Undefined: all well. */
  rule(rule: ((call: MemoryCall) => Fate) | undefined): void;
  /** Whether a connection stands. Undefined: all do. */
  connections(rule: ((from: string, to: string) => boolean) | undefined): void;
  /** The node as others know it now. */
  member(id: string): Member;
  /** Another handler for a node, for one that lies. */
  serve(id: string, handler: RecordsHandler): () => void;
  /** All calls that were begun, in order. */
  readonly calls: readonly MemoryCall[];
  /** Calls under way. */
  pending(): number;
}

export interface NodeOptions {
  readonly zone?: string;
  readonly kind?: MemberKind;
  readonly isAlone?: boolean;
}

export interface MemoryPorts {
  readonly membership: Membership;
  readonly records: Records;
}

export interface MemoryCall {
  readonly type: 'send' | 'lookup';
  readonly from: string;
  readonly to: string;
  readonly batch?: RecordBatch;
  readonly key?: RoutingKey;
}

/** `lost`: never arrives; `mute`: arrives, and the answer does not; `refused`: the member cannot be reached. */
export type Fate = { readonly delayUs?: number; readonly is?: 'lost' | 'mute' | 'refused' };

interface Node {
  member: Member;
  handler: RecordsHandler | undefined;
  known: Map<string, Member>;
  members: readonly Member[];
  readonly listeners: Set<(change: MembershipChange) => void>;
}

const wellDelayUs = 500;

export function createMemoryCluster(clock: Clock): MemoryCluster {
  return new Nodes(clock);
}

class Nodes implements MemoryCluster {
  readonly calls: MemoryCall[] = [];
  readonly #clock: Clock;
  readonly #nodes = new Map<string, Node>();
  #rule: ((call: MemoryCall) => Fate) | undefined;
  #connections: ((from: string, to: string) => boolean) | undefined;
  #pending = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(id: string, options: NodeOptions = {}): MemoryPorts {
    const member = memberOf(id, options, 1);
    const others = options.isAlone === true ? [] : [...this.#nodes.values()];
    const ports = this.#begin(member, new Map(others.map((other) => [other.member.id, other.member])));
    for (const other of others) meet(other, member);
    return ports;
  }

  restart(id: string): MemoryPorts {
    const old = this.#node(id);
    old.handler = undefined;
    const member = { ...old.member, incarnation: old.member.incarnation + 1 };
    const ports = this.#begin(member, new Map(old.known));
    for (const other of this.#nodes.values()) if (other.known.has(id)) meet(other, member);
    return ports;
  }

  kill(id: string): void {
    this.#node(id).handler = undefined;
  }

  remove(id: string): void {
    this.#nodes.delete(id);
    for (const other of this.#nodes.values()) {
      if (!other.known.delete(id)) continue;
      other.members = [...other.known.values()];
      for (const listener of other.listeners) listener({ type: 'left', id });
    }
  }

  introduce(who: string, whom: string): void {
    meet(this.#node(who), this.#node(whom).member);
  }

  rule(rule: ((call: MemoryCall) => Fate) | undefined): void {
    this.#rule = rule;
  }

  connections(rule: ((from: string, to: string) => boolean) | undefined): void {
    this.#connections = rule;
  }

  member(id: string): Member {
    return this.#node(id).member;
  }

  serve(id: string, handler: RecordsHandler): () => void {
    return serve(this.#node(id), handler);
  }

  pending(): number {
    return this.#pending;
  }

  #node(id: string): Node {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  #begin(member: Member, known: Map<string, Member>): MemoryPorts {
    const node: Node = { member, handler: undefined, known, members: [...known.values()], listeners: new Set() };
    this.#nodes.set(member.id, node);
    return { membership: membershipOf(node), records: this.#recordsOf(node) };
  }

  #recordsOf(node: Node): Records {
    const from = node.member.id;
    return {
      send: ({ id: to }, batch, signal) =>
        this.#carry(node, { type: 'send', from, to, batch }, signal, (handler) => {
          handler.onBatch(node.member, batch);
        }),
      lookup: ({ id: to }, key, signal) =>
        this.#carry(node, { type: 'lookup', from, to, key }, signal, (handler) => handler.onLookup(node.member, key)),
      isConnected: ({ id: to }) => this.#connections?.(from, to) ?? true,
      serve: (handler) => serve(node, handler),
    };
  }

  /** Carries one call to the member and its answer back. */
  async #carry<T>(
    self: Node,
    call: MemoryCall,
    signal: AbortSignal,
    deliver: (handler: RecordsHandler) => T,
  ): Promise<T> {
    this.calls.push(call);
    this.#pending += 1;
    try {
      const { delayUs = wellDelayUs, is } = this.#rule?.(call) ?? {};
      await this.#travel(is === 'lost' ? undefined : delayUs, signal);
      const handler = this.#nodes.get(call.from) === self ? this.#nodes.get(call.to)?.handler : undefined;
      if (is === 'refused' || handler === undefined) {
        throw new PeiliError('MEMBER_UNREACHABLE', `${call.to} does not answer`);
      }
      const answer = deliver(handler);
      await this.#travel(is === 'mute' ? undefined : delayUs, signal);
      return answer;
    } finally {
      this.#pending -= 1;
    }
  }

  /** Resolves after the delay; never without one. */
  #travel(delayUs: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer =
        delayUs === undefined
          ? undefined
          : this.#clock.schedule(delayUs, () => {
              release();
              resolve();
            });
      const release = onAbort(signal, () => {
        timer?.cancel();
        reject(abortedError());
      });
    });
  }
}

function membershipOf(node: Node): Membership {
  return {
    self: node.member,
    members: () => node.members,
    watch: (listener) => {
      node.listeners.add(listener);
      return () => void node.listeners.delete(listener);
    },
  };
}

function meet(who: Node, whom: Member): void {
  if (who.member.id === whom.id) return;
  const before = who.known.get(whom.id);
  who.known.set(whom.id, whom);
  who.members = [...who.known.values()];
  const type = before === undefined ? 'joined' : whom.incarnation > before.incarnation ? 'restarted' : 'updated';
  for (const listener of who.listeners) listener({ type, member: whom });
}

function serve(node: Node, handler: RecordsHandler): () => void {
  node.handler = handler;
  return () => {
    if (node.handler === handler) node.handler = undefined;
  };
}

/** A member as tests need one; its position is sha256 of its id, as in the real cluster. */
export function memberOf(id: string, { zone = '', kind = 'peili' }: NodeOptions = {}, incarnation = 1): Member {
  return {
    id,
    position: sha256(new TextEncoder().encode(id)),
    addresses: ['127.0.0.1'],
    registryPort: 5000,
    kind,
    zone,
    incarnation: kind === 'spegel' ? 0 : incarnation,
    connected: true,
  };
}
