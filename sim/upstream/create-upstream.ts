import type { Catalogue, SimImage } from '../content/catalogue.ts';
import type { SimStore } from '../containerd/sim-store.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { Life } from '../kernel/life.ts';
import type { FlowNetwork } from '../network/flow-network.ts';
import { Host } from '../network/host.ts';
import type { Party, Server } from '../network/party.ts';
import type { UpstreamHosts } from './upstream-access.ts';
import { SimUpstream } from './sim-upstream.ts';
import type { OutageSpec, UpstreamSpec } from './upstream-spec.ts';

export interface UpstreamDeps {
  readonly kernel: Kernel;
  readonly flows: FlowNetwork;
  readonly catalogue: Catalogue;
  readonly store: SimStore;
}

export interface Upstream extends UpstreamHosts {
  /** All its hosts. */
  readonly parties: readonly Party[];
  /** One way to a host of it; undefined: the host is none. */
  latencyUs(host: Host): number | undefined;
  readonly dialRoundTrips: number;
  /** Serves the image from now on, if it is not one that it does not have. */
  add(image: SimImage): void;
}

export function createUpstream(deps: UpstreamDeps, spec: UpstreamSpec): Upstream {
  const { catalogue, flows, kernel, store } = deps;
  const server = new SimUpstream({ catalogue, store, nowUs: () => kernel.nowUs() }, spec);
  const latencies = new Map<Host, number>();
  const party = (name: string, serves: Server, { bytesPerSecond, latencyUs, flowBytesPerSecond }: Pipe): Party => {
    const rates = { upBytesPerSecond: bytesPerSecond, downBytesPerSecond: bytesPerSecond };
    const host = new Host(flows, { name, zone: '', ...rates, mirrorBytesPerSecond: Infinity });
    latencies.set(host, latencyUs);
    const cap = flowBytesPerSecond === undefined ? {} : { flowBytesPerSecond };
    return { role: 'upstream', life: new Life(kernel), server: serves, host, ...cap };
  };
  const upstream = party('upstream', server, spec);
  const { absent = [], outages = [], token } = spec;
  const { latencyUs: tokenLatencyUs = spec.latencyUs } = token ?? {};
  const tokens =
    token === undefined
      ? undefined
      : party('upstream-tokens', server.tokens, { bytesPerSecond: spec.bytesPerSecond, latencyUs: tokenLatencyUs });
  const storage = spec.storage === undefined ? undefined : party('upstream-storage', server.storage, spec.storage);
  const parties = [upstream, tokens, storage].filter((some) => some !== undefined);
  for (const outage of outages) for (const some of parties) planOutage(kernel, some, outage);
  const add = (image: SimImage): void => {
    if (!absent.includes(image.name)) server.add(image);
  };
  return {
    upstream,
    tokens,
    storage,
    parties,
    latencyUs: (host) => latencies.get(host),
    dialRoundTrips: spec.tls === true ? 2 : 1,
    add,
  };
}

type Pipe = Pick<UpstreamSpec, 'bytesPerSecond' | 'latencyUs' | 'flowBytesPerSecond'>;

function planOutage(kernel: Kernel, party: Party, { fromUs, kind, untilUs }: OutageSpec): void {
  const { server, host } = party;
  kernel.schedule(fromUs, () => {
    if (kind === 'refuse') party.server = undefined;
    else host.unplug();
  });
  kernel.schedule(untilUs, () => {
    if (kind === 'refuse') party.server = server;
    else host.plug();
  });
}
