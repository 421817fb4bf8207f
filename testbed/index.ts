/**
 * Clusters as code: images made on the spot, an upstream registry that can be counted and broken, a proxy that breaks connections, and a client that pulls
 * as containerd does, all on loopback; and nodes with real containerd in network namespaces.
 *
 * @packageDocumentation
 */
export { bytesBlob, descriptorOf, jsonBlob, readBlob, sha256 } from './blob.ts';
export type { Descriptor, TestBlob } from './blob.ts';
export { createArtifact, createImage, indexMediaType, manifestMediaType } from './image.ts';
export type { ArtifactFile, ArtifactOptions, ImageOptions, TestImage } from './image.ts';
export { createTarLayer, layerMediaType } from './tar-layer.ts';
export type { FilesLayerOptions, GeneratedLayerOptions, LayerFile, LayerOptions } from './tar-layer.ts';
export { pauseProgram } from './pause-program.ts';
export { blobPath, createLayoutWriter, writeOciLayout } from './oci-layout.ts';
export type { Ingest, LayoutWriter } from './oci-layout.ts';
export { startUpstream } from './upstream.ts';
export type { ContentCount, Upstream, UpstreamOptions } from './upstream.ts';
export { startFaultProxy } from './fault-proxy.ts';
export type { Fault, FaultProxy, FaultProxyOptions, FaultRule, FaultScale } from './fault-proxy.ts';
export type { ProxiedRequest } from './http-framing.ts';
export { pull } from './pull.ts';
export type { PulledContent, PullOptions, PullProgress, PullResult } from './pull.ts';
export { CutError, exchange } from './http-exchange.ts';
export type { Answer, CutKind, ExchangeOptions } from './http-exchange.ts';
export { PullError } from './pull-fetch.ts';
export type { HostName, PullErrorCode } from './pull-fetch.ts';
export { startLoopbackCluster } from './loopback-cluster.ts';
export type { LoopbackCluster, LoopbackClusterOptions, LoopbackNode } from './loopback-cluster.ts';
export { startNetnsCluster } from './netns/cluster.ts';
export type { NetnsCluster, NetnsClusterOptions } from './netns/cluster.ts';
export { outsideCapsule } from './netns/capsule.ts';
export type { Family } from './netns/addresses.ts';
export type { Containerd } from './netns/containerd-process.ts';
export { containerdConfig } from './netns/containerd-config.ts';
export type { ContainerdOptions } from './netns/containerd-config.ts';
export type { ContentFiles } from './netns/content-files.ts';
export { lastWords } from './netns/log-file.ts';
export type { Mirror, MirrorOptions } from './netns/mirror-process.ts';
export type { LogLine, MirrorPull } from './netns/mirror-log.ts';
export type { Namespace } from './netns/namespace.ts';
export type { Direction, Link, LinkBytes } from './netns/network.ts';
export type { NetnsNode, NodeFiles, PullOutcome } from './netns/node.ts';
export type { NodeFaultRule, PlacedImage } from './netns/part-protocol.ts';
export type { NodeFaultProxy } from './netns/node-proxy.ts';
export type { ConnectionEnd, WireWatch } from './netns/wire.ts';
export type { ProcessHandle } from './netns/process-handle.ts';
export { parseMetrics } from './netns/prometheus-text.ts';
export type { MetricSamples } from './netns/prometheus-text.ts';
export type { UpstreamNode } from './netns/upstream-node.ts';
export { until } from './netns/conditions.ts';
export { createTestbed, listTestbeds, removeTestbed } from './testbed.ts';
export type { FoundTestbed } from './docker/sweep.ts';
export { driverNames } from './drivers/driver.ts';
export type {
  Ability,
  DriverName,
  PodOptions,
  RunningPod,
  Testbed,
  TestbedKubernetes,
  TestbedLinks,
  TestbedNode,
  TestbedOptions,
  TestbedUpstream,
} from './drivers/driver.ts';
