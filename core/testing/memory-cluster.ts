import { abortedError, onAbort } from '../abort.ts';
import { PeiliError } from '../errors.ts';
import type {
  Clock,
  LookupAnswer,
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
  const nodes = new Map<string, Node>();
  const calls: MemoryCall[] = [];
  const state = { pending: 0, rule: undefined as ((call: MemoryCall) => Fate) | undefined };

  const meet = (who: Node, whom: Member): void => {
    if (who.member.id === whom.id) return;
    const before = who.known.get(whom.id);
    who.known.set(whom.id, whom);
    who.members = [...who.known.values()];
    const type = before === undefined ? 'joined' : whom.incarnation > before.incarnation ? 'restarted' : 'updated';
    for (const listener of who.listeners) listener({ type, member: whom });
  };

  /** Carries one call to the member and its answer back. */
  const carry = <T>(
    self: Node,
    call: MemoryCall,
    signal: AbortSignal,
    deliver: (handler: RecordsHandler) => T,
  ): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      calls.push(call);
      state.pending += 1;
      const { delayUs = wellDelayUs, is } = state.rule?.(call) ?? {};
      let timer = clock.schedule(delayUs, () => {
        arrive();
      });
      const settle = (act: () => void): void => {
        timer.cancel();
        release();
        state.pending -= 1;
        act();
      };
      const release = onAbort(signal, () => {
        settle(() => {
          reject(abortedError());
        });
      });
      const arrive = (): void => {
        const handler = nodes.get(call.to)?.handler;
        const isGone = nodes.get(call.from) !== self || handler === undefined;
        if (is === 'lost') return;
        if (is === 'refused' || isGone || handler === undefined) {
          settle(() => {
            reject(new PeiliError('MEMBER_UNREACHABLE', `${call.to} does not answer`));
          });
          return;
        }
        try {
          const answer = deliver(handler);
          if (is === 'mute') return;
          timer = clock.schedule(delayUs, () => {
            settle(() => {
              resolve(answer);
            });
          });
        } catch (error) {
          settle(() => {
            reject(error);
          });
        }
      };
    });

  const serve = (node: Node, handler: RecordsHandler): (() => void) => {
    node.handler = handler;
    return () => {
      if (node.handler === handler) node.handler = undefined;
    };
  };

  const portsOf = (node: Node): MemoryPorts => {
    const from = node.member.id;
    return {
      membership: {
        self: node.member,
        members: () => node.members,
        watch: (listener) => {
          node.listeners.add(listener);
          return () => void node.listeners.delete(listener);
        },
      },
      records: {
        send: (to, batch, signal) =>
          carry(node, { type: 'send', from, to: to.id, batch }, signal, (handler) => {
            handler.onBatch(node.member, batch);
          }),
        lookup: (to, key, signal) =>
          carry<LookupAnswer>(node, { type: 'lookup', from, to: to.id, key }, signal, (handler) =>
            handler.onLookup(node.member, key),
          ),
        serve: (handler) => serve(node, handler),
      },
    };
  };

  const begin = (member: Member, known: Map<string, Member>): MemoryPorts => {
    const members = [...known.values()];
    const node: Node = { member, handler: undefined, known, members, listeners: new Set() };
    nodes.set(member.id, node);
    return portsOf(node);
  };

  const require = (id: string): Node => {
    const node = nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  };

  return {
    add: (id, options = {}) => {
      const member = memberOf(id, options, 1);
      const others = options.isAlone === true ? [] : [...nodes.values()];
      const ports = begin(member, new Map(others.map((other) => [other.member.id, other.member])));
      for (const other of others) meet(other, member);
      return ports;
    },
    restart: (id) => {
      const old = require(id);
      old.handler = undefined;
      const member = { ...old.member, incarnation: old.member.incarnation + 1 };
      const ports = begin(member, new Map(old.known));
      for (const other of nodes.values()) if (other.known.has(id)) meet(other, member);
      return ports;
    },
    kill: (id) => {
      require(id).handler = undefined;
    },
    remove: (id) => {
      nodes.delete(id);
      for (const other of nodes.values()) {
        if (!other.known.delete(id)) continue;
        other.members = [...other.known.values()];
        for (const listener of other.listeners) listener({ type: 'left', id });
      }
    },
    introduce: (who, whom) => {
      meet(require(who), require(whom).member);
    },
    rule: (rule) => {
      state.rule = rule;
    },
    member: (id) => require(id).member,
    serve: (id, handler) => serve(require(id), handler),
    calls,
    pending: () => state.pending,
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
