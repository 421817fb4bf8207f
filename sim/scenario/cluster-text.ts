import * as v from 'valibot';
import { diskProfiles } from '../disk/disk-profiles.ts';
import {
  count,
  duration,
  either,
  fields,
  listOf,
  oneOf,
  oneOrMore,
  rate,
  size,
  text,
  unlimitedRate,
  yesOrNo,
} from './quantities.ts';
import { nodesMax } from './workload-text.ts';

const group = fields({
  /** Its nodes are `<name>0`, `<name>1`, ... */
  name: text,
  /** Without it one node, called so. */
  count: v.optional(count(1, nodesMax)),
  /** One, or several in turn. */
  zone: v.optional(oneOrMore(text)),
  /** Where they are not like the others. */
  up: v.optional(unlimitedRate),
  down: v.optional(unlimitedRate),
  mirrorRate: v.optional(unlimitedRate),
});

/** As `KubeletConfiguration` calls them, and what pods wait for besides. */
const kubelet = fields({
  serializeImagePulls: v.optional(yesOrNo),
  maxParallelImagePulls: v.optional(count(1, nodesMax)),
  registryPullQPS: v.optional(count(0, nodesMax)),
  registryBurst: v.optional(count(0, nodesMax)),
  backOff: v.optional(duration),
  backOffMax: v.optional(duration),
  sync: v.optional(duration),
  sandbox: v.optional(duration),
  start: v.optional(duration),
});

/** As containerd's configuration calls them, without underscores. */
const containerd = fields({
  maxConcurrentDownloads: v.optional(count(1, nodesMax)),
  concurrentLayerFetchBuffer: v.optional(size),
  imagePullProgressTimeout: v.optional(duration),
  discardUnpackedLayers: v.optional(yesOrNo),
  /** Who pulls: the transfer service, or the client of 1.7. */
  pullBy: v.optional(oneOf(['transfer', 'local'], 'way of pulling')),
  mirrorDialTimeout: v.optional(duration),
  upstreamDialTimeout: v.optional(duration),
  mirrorsResolve: v.optional(yesOrNo),
  platform: v.optional(text),
});

const disk = either(
  (input) => typeof input === 'string',
  oneOf(Object.keys(diskProfiles), 'disk'),
  /** What it reads and writes in a second, what a flush takes, what memory keeps, and what may wait there. */
  fields({ rate, flush: v.optional(duration, '0'), cache: v.optional(size, 0), dirty: size }),
);

const unpack = fields({
  layer: v.optional(duration, '0'),
  rate,
  shared: v.optional(rate),
  cores: v.optional(count(1, 1_024)),
  /** So many bytes are written of 100 compressed ones. */
  ratio: v.optional(count(1, 100_000)),
});

export const clusterText = fields({
  /** Without it those of the traces in the workload. */
  nodes: v.optional(either(Array.isArray, listOf(group), count(1, nodesMax))),
  /** How many, or their names. */
  zones: v.optional(either(Array.isArray, listOf(text), count(1, 1_000)), 1),
  up: v.optional(unlimitedRate, '10Gbit/s'),
  down: v.optional(unlimitedRate, '10Gbit/s'),
  latency: v.optional(duration, '200us'),
  zoneLatency: v.optional(duration, '600us'),
  mirrorRate: v.optional(unlimitedRate, '2GB/s'),
  /** All that goes from one zone to another. */
  zoneRate: v.optional(rate),
  disk: v.optional(disk),
  unpack: v.optional(unpack),
  kubelet: v.optional(kubelet),
  containerd: v.optional(containerd),
  /** Members that a mirror knows, where there are more. */
  known: v.optional(count(1, nodesMax)),
});

export type ClusterParts = v.InferOutput<typeof clusterText>;
