import type { SimEvent } from '../run/trace.ts';
import type { World } from '../run/world.ts';

/** Where the bytes of a run went. */
export interface Traffic {
  /** Bytes that nodes got over their cables, from upstream and from each other. */
  readonly receivedBytes: number;
  /** Of these, between two zones of the cluster. */
  readonly zoneCrossingBytes: number;
  /** Bytes that the node which gave most gave, over the mean of all; 0 when none gave any. */
  readonly hotSpot: number;
  /** GETs of manifests at the upstream, which registries with limits count. */
  readonly upstreamManifestGets: number;
  /** The longest time in which a pull that was under way got no byte, before its last one. Microseconds. */
  readonly longestGapUs: number;
}

interface Way {
  readonly from: string;
  readonly isOverCable: boolean;
  readonly isAcrossZones: boolean;
  /** The node whose containerd asks; undefined: a mirror does. */
  readonly puller: string | undefined;
}

/** Counts while a run goes on. */
export function watchTraffic({ trace, upstreams }: World): () => Traffic {
  const ways = new Map<number, Way>();
  const given = new Map<string, number>();
  const lastUs = new Map<string, number>();
  const sums = { receivedBytes: 0, zoneCrossingBytes: 0, upstreamManifestGets: 0, longestGapUs: 0 };

  const onRequest = ({ exchange, from, request, to }: SimEvent & { readonly type: 'request' }): void => {
    const isUpstream = to.role === 'upstream';
    if (isUpstream && request.method === 'GET' && request.target.includes('/manifests/'))
      sums.upstreamManifestGets += 1;
    ways.set(exchange, {
      from: to.host.name,
      isOverCable: from.host !== to.host,
      isAcrossZones: !isUpstream && from.host.zone !== to.host.zone,
      puller: from.role === 'containerd' ? from.host.name : undefined,
    });
  };
  const onBytes = ({ atUs, bytes, exchange }: SimEvent & { readonly type: 'bytes' }): void => {
    const way = ways.get(exchange);
    if (way === undefined) return;
    if (way.isOverCable) {
      sums.receivedBytes += bytes;
      given.set(way.from, (given.get(way.from) ?? 0) + bytes);
      if (way.isAcrossZones) sums.zoneCrossingBytes += bytes;
    }
    if (way.puller === undefined) return;
    sums.longestGapUs = Math.max(sums.longestGapUs, atUs - (lastUs.get(way.puller) ?? atUs));
    lastUs.set(way.puller, atUs);
  };
  trace.watch((event) => {
    if (event.type === 'request') onRequest(event);
    else if (event.type === 'bytes') onBytes(event);
    else if (event.type === 'exchange-end') ways.delete(event.exchange);
    else if (event.type === 'pull-begin') lastUs.set(event.node, event.atUs);
  });
  return () => {
    for (const { host } of upstreams) given.delete(host.name);
    const all = [...given.values()];
    const mean = all.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, all.length);
    return { ...sums, hotSpot: mean === 0 ? 0 : Math.max(...all) / mean };
  };
}
