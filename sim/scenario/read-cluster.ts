import type { UnpackSpec } from '../containerd/unpacker.ts';
import { diskProfiles } from '../disk/disk-profiles.ts';
import type { DiskSpec } from '../disk/disk.ts';
import type { TraceWorkload } from '../traces/trace-workload.ts';
import type { ClusterParts } from './cluster-text.ts';
import { containerdNames, kubeletNames } from './runtime-names.ts';
import type { NodeNames } from './node-selection.ts';
import { ScenarioError } from './scenario-error.ts';
import type { ClusterSpec, UnevenNode } from './scenario.ts';

export function nodesOf({ nodes, zones }: ClusterParts, traced: readonly TraceWorkload[]): NodeNames {
  const zoneNames = typeof zones === 'number' ? Array.from({ length: zones }, (_, index) => `z${index}`) : zones;
  const inTurn = (index: number, names: readonly string[]): string => names[index % names.length] ?? 'z0';
  if (nodes === undefined) {
    const zoneOf = new Map(
      traced.flatMap(({ nodeNames, zoneOf: own }) => nodeNames.map((name, index) => [name, own[index] ?? ''] as const)),
    );
    if (zoneOf.size === 0)
      throw new ScenarioError(['cluster', 'nodes'], 'is missing: how many, or a list of groups with name and count');
    const names = [...zoneOf.keys()];
    const zoned = names.map((name, index) => zoneOf.get(name) || inTurn(index, zoneNames));
    return { names, zones: zoned, groups: new Map() };
  }
  if (typeof nodes === 'number') {
    const names = Array.from({ length: nodes }, (_, index) => `n${index}`);
    return { names, zones: names.map((_name, index) => inTurn(index, zoneNames)), groups: new Map() };
  }
  const members = nodes.flatMap(({ name, count, zone }) =>
    Array.from({ length: count ?? 1 }, (_, index) => ({
      group: name,
      name: count === undefined ? name : `${name}${index}`,
      zone: inTurn(index, zone ?? zoneNames),
    })),
  );
  const groups = new Map(
    nodes.map(({ name }) => [name, members.flatMap(({ group }, index) => (group === name ? [index] : []))]),
  );
  return { names: members.map(({ name }) => name), zones: members.map(({ zone }) => zone), groups };
}

export function clusterOf(parts: ClusterParts, nodes: NodeNames): ClusterSpec {
  const { containerd, disk, kubelet, known, unpack, zoneRate } = parts;
  const uneven = unevenOf(parts);
  const zones = new Set(nodes.zones).size;
  return {
    nodes: nodes.names.length,
    zones,
    ...(nodes.zones.every((zone, index) => zone === `z${index % zones}`) ? {} : { zoneOf: nodes.zones }),
    ...(nodes.names.every((name, index) => name === `n${index}`) ? {} : { nameOf: nodes.names }),
    upBytesPerSecond: parts.up,
    downBytesPerSecond: parts.down,
    latencyUs: parts.latency,
    zoneLatencyUs: parts.zoneLatency,
    mirrorBytesPerSecond: parts.mirrorRate,
    ...(zoneRate === undefined ? {} : { zoneBytesPerSecond: zoneRate }),
    ...(disk === undefined ? {} : { disk: diskOf(disk) }),
    ...(uneven.length === 0 ? {} : { uneven }),
    ...(unpack === undefined ? {} : { unpack: unpackOf(unpack) }),
    ...(kubelet === undefined ? {} : { kubelet: renamed(kubelet, kubeletNames) }),
    ...(containerd === undefined ? {} : { containerd: renamed(containerd, containerdNames) }),
    ...(known === undefined ? {} : { knownMax: known }),
  };
}

type Said<Name extends keyof ClusterParts> = NonNullable<ClusterParts[Name]>;

function diskOf(disk: Said<'disk'>): DiskSpec {
  if (typeof disk !== 'string')
    return { bytesPerSecond: disk.rate, flushUs: disk.flush, pageCacheBytes: disk.cache, dirtyBytesMax: disk.dirty };
  const known = Object.entries(diskProfiles).find(([name]) => name === disk)?.[1];
  // The schema has looked at the name.
  if (known === undefined) throw new RangeError(`no disk ${disk}`);
  return known;
}

function unpackOf({ cores, layer, rate, ratio, shared }: Said<'unpack'>): UnpackSpec {
  return {
    layerUs: layer,
    bytesPerSecond: rate,
    ...(cores === undefined ? {} : { cores }),
    ...(shared === undefined ? {} : { sharedBytesPerSecond: shared }),
    ...(ratio === undefined ? {} : { ratioPercent: ratio }),
  };
}

/** What is said, under the names that it has in code. */
function renamed<From extends object, To>(said: From, names: Readonly<Record<keyof From, keyof To>>): Partial<To> {
  const entries = Object.entries(said).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [names[name as keyof From], value])) as Partial<To>;
}

function unevenOf({ nodes }: ClusterParts): readonly UnevenNode[] {
  if (nodes === undefined || typeof nodes === 'number') return [];
  return nodes
    .flatMap((group) => Array.from({ length: group.count ?? 1 }, () => group))
    .flatMap(({ up, down, mirrorRate }, node) =>
      up === undefined && down === undefined && mirrorRate === undefined
        ? []
        : [
            {
              node,
              ...(up === undefined ? {} : { upBytesPerSecond: up }),
              ...(down === undefined ? {} : { downBytesPerSecond: down }),
              ...(mirrorRate === undefined ? {} : { mirrorBytesPerSecond: mirrorRate }),
            },
          ],
    );
}
