/**
 * Real ports: what the core needs of a machine, a network and a content store.
 *
 * @packageDocumentation
 */
export { listenRefusal } from './system/listen-refusal.ts';
export type { ListenPlace } from './system/listen-refusal.ts';
export { createBufferPool } from './system/buffer-pool.ts';
export type { BufferLease, BufferPool, BufferPoolLimits } from './system/buffer-pool.ts';
export { createPeerClient } from './http/peer-client.ts';
export type { HttpPeerClient, PeerClientDeps, PeerClientOptions } from './http/peer-client.ts';
export { serveHttp } from './http/server.ts';
export type { HttpServer, HttpServerDeps, HttpServerOptions } from './http/server.ts';
export type { Readiness } from './http/answer.ts';
export type { BodyEnd } from './http/body-writer.ts';
export { authorizationOf, createCredentialsCheck } from './http/basic-auth.ts';
export type { BasicAuth } from './http/basic-auth.ts';
export { cleanHosts } from './hosts/clean-hosts.ts';
export type { CleanReport } from './hosts/clean-hosts.ts';
export { configureHosts } from './hosts/configure-hosts.ts';
export type { ConfigureOptions, HostsDeps, HostsReport } from './hosts/configure-hosts.ts';
export { keepHosts } from './hosts/hosts-keeper.ts';
export { openModeFiles } from './mode/mode-files.ts';
export type { HostsKeeper, HostsKeeperDeps, HostsKeeperOptions } from './hosts/hosts-keeper.ts';
export type { HostsOptions } from './hosts/hosts-plan.ts';
export { parseMirrorTarget } from './hosts/mirror-target.ts';
export { createSystemClock } from './system/clock.ts';
export type { SystemClock } from './system/clock.ts';
export { createDigester } from './system/digester.ts';
export type { SystemDigester } from './system/digester.ts';
export { createRandom } from './system/random.ts';
export { collectGarbage } from './system/collect-garbage.ts';
export { startWatchdog } from './system/watchdog.ts';
export type { Watchdog, WatchdogOptions } from './system/watchdog.ts';
export { createBlobFiles } from './system/blob-files.ts';
export type { BlobFiles } from './system/blob-files.ts';
export type { BlobFile } from './system/blob-file.ts';
export { createOciLayoutStore } from './oci-layout/oci-layout-store.ts';
export type { OciLayoutDeps, OciLayoutOptions, OciLayoutStore } from './oci-layout/oci-layout-store.ts';
export { createContainerdApi } from './containerd/containerd-api.ts';
export type {
  ContainerdApi,
  ContainerdApiOptions,
  ContainerdEvent,
  ContentRecord,
  ImageRecord,
} from './containerd/containerd-api.ts';
export { followRuntime } from './containerd/follow-runtime.ts';
export type {
  FollowRuntimeDeps,
  FollowRuntimeOptions,
  RuntimeImage,
  RuntimeSign,
} from './containerd/follow-runtime.ts';
export { createContainerdStore } from './containerd/containerd-store.ts';
export type { ContainerdStore, ContainerdStoreDeps, ContainerdStoreOptions } from './containerd/containerd-store.ts';
export { createCriClient } from './containerd/cri.ts';
export type { CriClient, CriClientOptions, CriCondition, CriImage, CriStatus, CriVersion } from './containerd/cri.ts';
export { ociArchitecture } from './canary/architecture.ts';
export { createNonce, pullCanary } from './canary/canary-pull.ts';
export type { CanaryPullDeps } from './canary/canary-pull.ts';
export { startNode } from './node.ts';
export type { NodeOptions, RunningNode, StoreOptions } from './node.ts';
export { createLibp2pNode } from './libp2p/libp2p-node.ts';
export type { Libp2pNode, Libp2pNodeDeps, Libp2pNodeOptions } from './libp2p/libp2p-node.ts';
export type { BootstrapOptions, BootstrapSources } from './libp2p/bootstrap.ts';
export type { RouterTransport } from './libp2p/endpoint.ts';
export type { RouterReadiness } from './libp2p/readiness.ts';
export type { LinkFault } from './memory/link-fault.ts';
export { createMemoryCluster } from './memory/memory-cluster.ts';
export type { MemoryCluster, MemoryClusterDeps, MemoryNode, MemoryNodeOptions } from './memory/memory-cluster.ts';
export { createMemoryStore } from './memory/memory-store.ts';
export type { MemoryImage, MemoryStore, MemoryStoreDeps, MemoryStoreOptions } from './memory/memory-store.ts';
export { createRecordingObserver } from './memory/recording-observer.ts';
export type { RecordingObserver, RecordingObserverOptions } from './memory/recording-observer.ts';
