import type { Holder, LookupAnswer, Member, RoutingKey } from '../../core/index.ts';
import type { ChannelPool } from './channel-pool.ts';
import { endpointOfBytes } from './endpoint.ts';
import type { KadChannel } from './kad-channel.ts';
import { kadTypes, multihashOf } from './kad-codec.ts';
import type { KadPeer } from './kad-codec.ts';
import type { MemberDirectory } from './member-directory.ts';
import { spegelFacts } from './known-member.ts';
import type { PeerIds } from './peer-ids.ts';

/** The records' questions put to Spegel nodes, in Kademlia's words. */
export interface SpegelRecords {
  provide(memberId: string, keys: readonly RoutingKey[], signal: AbortSignal): Promise<void>;
  findProviders(memberId: string, key: RoutingKey, signal: AbortSignal): Promise<LookupAnswer>;
  /** Who is nearest to a key, as that node sees it; whom this node does not know becomes a hint. The ids of those. */
  findNodes(memberId: string, key: Uint8Array, signal: AbortSignal): Promise<readonly string[]>;
}

export interface SpegelRecordsDeps {
  readonly ids: PeerIds;
  readonly directory: MemberDirectory;
  readonly channels: ChannelPool<KadChannel>;
}

export interface SpegelRecordsOptions {
  /** A Spegel node does not say its registry's port: it is taken to be this node's own. */
  readonly registryPort: number;
  readonly closerMax: number;
  readonly holdersMax: number;
}

export function createSpegelRecords(deps: SpegelRecordsDeps, options: SpegelRecordsOptions): SpegelRecords {
  const { ids, directory, channels } = deps;

  const memberOf = (peer: KadPeer): Member | undefined => {
    const id = ids.toText(peer.id);
    const endpoints = peer.addresses.flatMap((address) => endpointOfBytes(address) ?? []);
    const known = directory.get(id);
    return (
      known ?? (endpoints.length === 0 ? undefined : directory.hint(spegelFacts(id, endpoints, options.registryPort)))
    );
  };

  return {
    provide: (memberId, keys, signal) =>
      channels.use(memberId, signal, (channel) => channel.provide(keys, directory.selfPeer(), signal)),
    findProviders: async (memberId, key, signal) => {
      const answer = await channels.use(memberId, signal, (channel) =>
        channel.ask(kadTypes.getProviders, multihashOf(key), signal),
      );
      const holders = answer.providers.slice(0, options.holdersMax).flatMap((peer): Holder[] => {
        const member = memberOf(peer);
        return member === undefined ? [] : [{ member }];
      });
      const closer = answer.closer.slice(0, options.closerMax).flatMap((peer) => memberOf(peer) ?? []);
      return { holders, warming: false, closer };
    },
    findNodes: async (memberId, key, signal) => {
      const answer = await channels.use(memberId, signal, (channel) => channel.ask(kadTypes.findNode, key, signal));
      const strangers = answer.closer.filter(({ id }) => directory.get(ids.toText(id)) === undefined);
      return strangers.flatMap((peer) => memberOf(peer)?.id ?? []);
    },
  };
}
