import { ProviderRecords } from '../policies/spegel/provider-records.ts';
import { limitsWith } from '../../core/index.ts';
import type { Limits } from '../../core/index.ts';
import { Catalogue } from '../content/catalogue.ts';
import type { SimImage } from '../content/catalogue.ts';
import { createRuntime } from '../containerd/create-runtime.ts';
import type { SimContainerd } from '../containerd/sim-containerd.ts';
import { SimStore } from '../containerd/sim-store.ts';
import { Kernel } from '../kernel/kernel.ts';
import type { KernelOptions } from '../kernel/kernel.ts';
import { createSimRandom } from '../kernel/random.ts';
import { FlowNetwork } from '../network/flow-network.ts';
import type { Link } from '../network/link.ts';
import { Host } from '../network/host.ts';
import { Passage } from '../network/passage.ts';
import { Wire } from '../network/wire.ts';
import { createZoneLinks } from '../network/zone-links.ts';
import type { Party } from '../network/party.ts';
import { Directory } from '../node/directory.ts';
import { createSimDigester } from '../node/sim-digester.ts';
import { aheadUs } from '../node/sim-clock.ts';
import type { WallClock } from '../node/sim-clock.ts';
import type { NodeMirror, Policy, PolicyInWorld } from '../policies/policy.ts';
import type { ImageSpec, Scenario } from '../scenario/scenario.ts';
import { createUpstream } from '../upstream/create-upstream.ts';
import { UpstreamAccess } from '../upstream/upstream-access.ts';
import type { UpstreamHosts } from '../upstream/upstream-access.ts';
import { Trace } from './trace.ts';
import type { WorldParts } from './world-parts.ts';

export interface WorldOptions extends KernelOptions {
  readonly seed: number;
  readonly policy: Policy;
}

/** One machine of the cluster and what runs on it. */
export interface SimNode {
  readonly name: string;
  readonly host: Host;
  readonly store: SimStore;
  readonly containerd: SimContainerd;
  readonly mirror: NodeMirror | undefined;
  readonly wall: WallClock;
  /** Its mirror was paused at some time: what it waited for then is not its fault. */
  hasStoodStill: boolean;
}

/** A cluster that has been built and whose time has not begun. */
export interface World extends WorldParts {
  readonly nodes: readonly SimNode[];
  readonly images: ReadonlyMap<string, SimImage>;
  readonly upstream: Party;
  /** All hosts of the registry: itself, who gives tokens, who stores blobs. */
  readonly upstreams: readonly Party[];
  /** Which packets pass. */
  readonly passage: Passage;
  /** The bounds of its mirrors. */
  readonly limits: Limits;
}

export function createWorld(scenario: Scenario, { seed, policy, ...kernelOptions }: WorldOptions): World {
  const { cluster } = scenario;
  const kernel = new Kernel(kernelOptions);
  const trace = new Trace(kernel);
  const flows = new FlowNetwork(kernel);
  const random = createSimRandom(seed);
  const digester = createSimDigester(() => catalogue);
  const catalogue = new Catalogue(digester);
  const store = new SimStore({ clock: clockOf(kernel), catalogue });
  const registry = createUpstream({ kernel, flows, catalogue, store }, scenario.upstream);
  const { upstream } = registry;
  const latencyUs = (from: Host, to: Host): number => {
    const usualUs = from.zone === to.zone ? cluster.latencyUs : cluster.zoneLatencyUs;
    const ownUs = registry.latencyUs(from) ?? registry.latencyUs(to) ?? usualUs;
    return ownUs + from.addedLatencyUs + to.addedLatencyUs;
  };
  const limits = limitsWith(scenario.limits ?? {});
  const passage = new Passage();
  if (scenario.faults.some(({ what }) => what.kind === 'cut')) passage.setGates(flows);
  const directory = new Directory(kernel, { latencyUs, passage, limits, knownMax: cluster.knownMax ?? usualKnownMax });
  const wire = new Wire(kernel, flows, trace, {
    latencyUs,
    passage,
    linkBetween: createZoneLinks(flows, cluster.zoneBytesPerSecond),
    dialRoundTrips: ({ role }) => (role === 'upstream' ? registry.dialRoundTrips : 1),
  });
  const sharedRate = cluster.unpack?.sharedBytesPerSecond;
  const sharedUnpack = sharedRate === undefined ? undefined : flows.addLink('unpacking', sharedRate);
  let table: ProviderRecords | undefined;
  const providers = (): ProviderRecords => (table ??= new ProviderRecords(parts));
  const shared = { kernel, trace, wire, flows, random, directory, digester, catalogue, latencyUs, providers };
  const parts: Parts = { ...shared, limits, sharedUnpack };
  const inWorld = policy.inWorld(parts);
  const nodes = Array.from({ length: cluster.nodes }, (_, index) =>
    createNode(index, scenario, inWorld, parts, registry),
  );
  for (const { mirror } of nodes) mirror?.start();
  inWorld.begin?.();
  const images = new Map(scenario.images.map((spec) => [spec.name, catalogue.addImage(partsOf(spec))]));
  for (const image of images.values()) registry.add(image);
  for (const spec of scenario.images) {
    const { movesAtUs = [], name } = spec;
    for (const [index, atUs] of movesAtUs.entries()) {
      const image = catalogue.addImage({ ...partsOf(spec), version: index + 1 });
      kernel.schedule(atUs, () => {
        images.set(name, image);
        registry.add(image);
      });
    }
  }
  return { ...parts, passage, nodes, images, upstream, upstreams: registry.parties };
}

type Parts = WorldParts & { readonly limits: Limits; readonly sharedUnpack: Link | undefined };

/** Where more mirrors than this are in a cluster, each knows the same so many of them (decision 0012). */
const usualKnownMax = 128;

function createNode(
  index: number,
  { buggifyIn64 = 0, cluster, mirror: spec }: Scenario,
  policy: PolicyInWorld,
  parts: Parts,
  registry: UpstreamHosts,
): SimNode {
  const { flows, kernel, limits, wire } = parts;
  const name = cluster.nameOf?.[index] ?? `n${index}`;
  const uneven = cluster.uneven?.find(({ node }) => node === index);
  const host = new Host(flows, {
    ...cluster,
    ...uneven,
    name,
    zone: cluster.zoneOf?.[index] ?? `z${index % cluster.zones}`,
  });
  const wall = { offsetUs: 0 };
  const runtime = createRuntime(
    { ...parts, wire: new UpstreamAccess(wire, registry), clock: clockOf(kernel, wall) },
    host,
    cluster,
  );
  const { store } = runtime;
  const place = { index, host, store, wall, limits, spec, buggifyIn64 };
  const mirror = policy.createMirror(place);
  const asked = mirror === undefined ? [registry.upstream] : [mirror.party, registry.upstream];
  const containerd = runtime.createContainerd(() => asked);
  return { name, host, store, containerd, mirror, wall, hasStoodStill: false };
}

function clockOf(
  kernel: Kernel,
  wall: WallClock = { offsetUs: 0 },
): ConstructorParameters<typeof SimStore>[0]['clock'] {
  return {
    schedule: (delayUs, callback) => kernel.schedule(delayUs, callback),
    wallUs: () => 1_700_000_000_000_000 + kernel.nowUs() + aheadUs(wall, kernel.nowUs()),
  };
}

function partsOf({ name, ...content }: ImageSpec): Parameters<Catalogue['addImage']>[0] {
  const [, registry = '', repository = '', tag = ''] = /^([^/]+)\/(.+):([^:/]+)$/.exec(name) ?? [];
  return { registry, repository, tag, ...content };
}
