import { stringify } from 'yaml';
import { containerdNames, kubeletNames } from './runtime-names.ts';
import { nodeNameOf } from './node-names.ts';
import type { ScenarioText } from './scenario-schema.ts';
import type { AskSpec, ClusterSpec, ImageSpec, MirrorSpec, PodSpec, PullSpec, Scenario } from './scenario.ts';
import type { UpstreamSpec } from '../upstream/upstream-spec.ts';
import { writeFault } from './write-fault.ts';
import { writeDuration, writeLayers, writeRate, writeSize } from './write-quantities.ts';

/** A scenario as a file of YAML: what `parseScenario` reads from it is the same scenario. */
export function formatScenario(scenario: Scenario): string {
  return stringify(writeScenario(scenario), { collectionStyle: 'any', lineWidth: 0 });
}

/** A scenario as people write it: `readScenario` gives the same value. */
export function writeScenario(scenario: Scenario): ScenarioText {
  const {
    asks = [],
    buggifyIn64,
    cluster,
    faults,
    heal,
    images,
    name,
    pods = [],
    shows,
    swaps,
    untilUs,
    upstream,
  } = scenario;
  const nameOf = (node: number | 'upstream'): string => nodeNameOf(scenario, node);
  return said({
    name,
    shows,
    cluster: writeCluster(cluster),
    upstream: writeUpstream(upstream),
    images: images.map(writeImage),
    workload: [
      ...scenario.workload.map((pull) => writePull(pull, nameOf)),
      ...pods.map((pod) => writePod(pod, nameOf)),
      ...asks.map((ask) => writeAsk(ask, nameOf)),
    ],
    faults: faults.length === 0 ? undefined : faults.map((fault) => writeFault(fault, nameOf)),
    mirror: writeMirror(scenario),
    buggify: buggifyIn64,
    swaps,
    heal: heal === undefined ? undefined : { at: writeDuration(heal.atUs), core: heal.core.map(nameOf) },
    until: writeDuration(untilUs),
  }) as unknown as ScenarioText;
}

type Said = Readonly<Record<string, unknown>>;

/** Without what is not said. */
function said(fields: Said): Said {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function maybe<T, R>(write: (value: T) => R): (value: T | undefined) => R | undefined {
  return (value) => (value === undefined ? undefined : write(value));
}

const durationOf = maybe(writeDuration);
const rateOf = maybe(writeRate);
const sizeOf = maybe(writeSize);

function writeCluster(cluster: ClusterSpec): Said {
  const { containerd, disk, kubelet, knownMax, latencyUs, unpack, zoneBytesPerSecond, zoneLatencyUs } = cluster;
  return said({
    ...writeNodes(cluster),
    up: writeRate(cluster.upBytesPerSecond),
    down: writeRate(cluster.downBytesPerSecond),
    latency: writeDuration(latencyUs),
    zoneLatency: writeDuration(zoneLatencyUs),
    mirrorRate: writeRate(cluster.mirrorBytesPerSecond),
    zoneRate: rateOf(zoneBytesPerSecond),
    disk:
      disk === undefined
        ? undefined
        : {
            rate: writeRate(disk.bytesPerSecond),
            flush: writeDuration(disk.flushUs),
            cache: writeSize(disk.pageCacheBytes),
            dirty: writeSize(disk.dirtyBytesMax),
          },
    unpack:
      unpack === undefined
        ? undefined
        : said({
            layer: writeDuration(unpack.layerUs),
            rate: writeRate(unpack.bytesPerSecond),
            shared: rateOf(unpack.sharedBytesPerSecond),
            cores: unpack.cores,
            ratio: unpack.ratioPercent,
          }),
    kubelet: kubelet === undefined ? undefined : renamed(kubelet, kubeletNames),
    containerd: containerd === undefined ? undefined : renamed(containerd, containerdNames),
    known: knownMax,
  });
}

/** How many, where all are like each other; else one by one. */
function writeNodes({ nameOf, nodes, uneven = [], zoneOf, zones }: ClusterSpec): Said {
  if (nameOf === undefined && zoneOf === undefined && uneven.length === 0) return { nodes, zones };
  const others = new Map(uneven.map((each) => [each.node, each]));
  const all = Array.from({ length: nodes }, (_, index) => {
    const other = others.get(index);
    return said({
      name: nameOf?.[index] ?? `n${index}`,
      zone: zoneOf?.[index] ?? `z${index % zones}`,
      up: rateOf(other?.upBytesPerSecond),
      down: rateOf(other?.downBytesPerSecond),
      mirrorRate: rateOf(other?.mirrorBytesPerSecond),
    });
  });
  return { nodes: all };
}

/** With the names of a file for those in code. */
function renamed(values: object, names: Readonly<Record<string, string>>): Said {
  const given = new Map(Object.entries(values));
  return said(
    Object.fromEntries(
      Object.entries(names).map(([name, inCode]) => {
        const value: unknown = given.get(inCode);
        return [name, typeof value === 'number' && inCode.endsWith('Us') ? writeDuration(value) : value];
      }),
    ),
  );
}

function writeUpstream(upstream: UpstreamSpec): Said {
  const { absent, bytesPerSecond, flowBytesPerSecond, latencyUs, manifestLimit, outages, storage, tls, token } =
    upstream;
  return said({
    rate: writeRate(bytesPerSecond),
    latency: writeDuration(latencyUs),
    streamRate: rateOf(flowBytesPerSecond),
    tls,
    token:
      token === undefined
        ? undefined
        : said({ latency: durationOf(token.latencyUs), lifetime: durationOf(token.lifetimeUs) }),
    storage:
      storage === undefined
        ? undefined
        : said({
            rate: writeRate(storage.bytesPerSecond),
            latency: writeDuration(storage.latencyUs),
            streamRate: rateOf(storage.flowBytesPerSecond),
          }),
    manifestLimit:
      manifestLimit === undefined
        ? undefined
        : said({ gets: manifestLimit.gets, window: writeDuration(manifestLimit.windowUs), per: manifestLimit.per }),
    outages: outages?.map(({ fromUs, kind, untilUs }) => ({
      from: writeDuration(fromUs),
      until: writeDuration(untilUs),
      kind,
    })),
    absent,
  });
}

function writeImage({ layerBytes, layerLabels, movesAtUs, name, platforms }: ImageSpec): Said {
  return said({
    name,
    layers: writeLayers(layerBytes),
    labels: layerLabels,
    movesAt: movesAtUs?.map(writeDuration),
    platforms,
  });
}

type NameOf = (node: number) => string;

function writePull({ after, atUs, image, jitterUs, node, retries }: PullSpec, nameOf: NameOf): Said {
  return said({
    pull: image,
    on: nameOf(node),
    at: writeDuration(atUs),
    jitter: durationOf(jitterUs),
    // Each pull is a part of its own: they count alike.
    after,
    retries,
  });
}

function writePod({ atUs, images, node, pullPolicy }: PodSpec, nameOf: NameOf): Said {
  return said({ pod: images, on: nameOf(node), at: writeDuration(atUs), pullPolicy });
}

function writeAsk(ask: AskSpec, nameOf: NameOf): Said {
  const { atUs, bytesMax, bytesPerSecond, image, method, node, patienceUs, range, what } = ask;
  return said({
    ask: image,
    what,
    on: nameOf(node),
    at: writeDuration(atUs),
    method,
    range,
    rate: rateOf(bytesPerSecond),
    bytes: sizeOf(bytesMax),
    patience: durationOf(patienceUs),
  });
}

function writeMirror({ limits, mirror }: Pick<Scenario, 'limits' | 'mirror'>): Said | undefined {
  if (limits === undefined && mirror === undefined) return undefined;
  const { tagMaxAgeUs, ...rest }: MirrorSpec = mirror ?? {};
  return said({
    ...rest,
    tagMaxAge: durationOf(tagMaxAgeUs),
    limits: limits === undefined ? undefined : Object.fromEntries(Object.entries(limits).map(writeLimit)),
  });
}

function writeLimit([name, value]: readonly [string, number]): readonly [string, string | number] {
  if (name.endsWith('Us')) return [name, writeDuration(value)];
  return [name, name.endsWith('BytesPerSecond') ? writeRate(value) : value];
}
