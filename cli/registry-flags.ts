import type { FlagRow } from './flag-table.ts';
import { flagName } from './flag-table.ts';

/** The options of `peili registry`, by the name they have in code. */
export const registryFlags = {
  store: {
    flags: '--store <kind[:place]>',
    env: 'PEILI_STORE',
    help: 'what this node serves: containerd, or oci-layout:<directory> with an OCI image layout',
    fallback: 'containerd',
  },
  containerdSock: {
    flags: '--containerd-sock <path>',
    env: 'CONTAINERD_SOCK',
    help: 'the socket of containerd',
    fallback: '/run/containerd/containerd.sock',
  },
  containerdNamespace: {
    flags: '--containerd-namespace <name>',
    env: 'CONTAINERD_NAMESPACE',
    help: 'the namespace of containerd whose content is served',
    fallback: 'k8s.io',
  },
  containerdContentPath: {
    flags: '--containerd-content-path <directory>',
    env: 'CONTAINERD_CONTENT_PATH',
    help: 'the directory of containerd that has blobs/, as this process sees it; without it containerd is asked',
  },
  containerdRegistryConfigPath: {
    flags: '--containerd-registry-config-path <directory>',
    env: 'CONTAINERD_REGISTRY_CONFIG_PATH',
    help: 'where peili configuration wrote hosts.toml, to mend it when somebody removes or changes it (default: /etc/containerd/certs.d, and nowhere with another store than containerd)',
  },
  basicAuthPath: {
    flags: '--basic-auth-path <directory>',
    env: 'PEILI_BASIC_AUTH_PATH',
    help: 'a directory with the files username and password, which whoever asks has to know; nobody is asked where there are none',
    fallback: '/etc/secrets/basic-auth',
  },
  registryAddr: {
    flags: '--registry-addr <address>',
    env: 'REGISTRY_ADDR',
    help: 'where containerd and other mirrors ask, host:port or :port',
    fallback: ':5000',
  },
  routerAddr: {
    flags: '--router-addr <address>',
    env: 'ROUTER_ADDR',
    help: 'where members talk, ip:port or :port',
    fallback: ':5001',
  },
  metricsAddr: {
    flags: '--metrics-addr <address>',
    env: 'METRICS_ADDR',
    help: 'where /metrics is served',
    fallback: ':9090',
  },
  bootstrapKind: {
    flags: '--bootstrap-kind <kind>',
    env: 'BOOTSTRAP_KIND',
    help: 'how this node finds others: none, dns, http or static',
    fallback: 'none',
  },
  dnsBootstrapDomain: {
    flags: '--dns-bootstrap-domain <domain>',
    env: 'DNS_BOOTSTRAP_DOMAIN',
    help: 'with dns: a name whose addresses are the members, as a headless service has; asked at the port of --router-addr',
  },
  httpBootstrapAddr: {
    flags: '--http-bootstrap-addr <address>',
    env: 'HTTP_BOOTSTRAP_ADDR',
    help: 'where this node tells others at /id how to reach it; not served without it',
  },
  httpBootstrapPeer: {
    flags: '--http-bootstrap-peer <url>',
    env: 'HTTP_BOOTSTRAP_PEER',
    help: 'with http: where such a document is fetched',
  },
  staticBootstrapPeers: {
    flags: '--static-bootstrap-peers <multiaddr...>',
    env: 'STATIC_BOOTSTRAP_PEERS',
    help: 'with static: members to begin with, /ip4/<ip>/tcp/<port>[/p2p/<id>]',
  },
  dataDir: {
    flags: '--data-dir <directory>',
    env: 'DATA_DIR',
    help: 'where the identity is kept (private.key); without it a start makes a new one',
  },
  zone: { flags: '--zone <name>', env: 'PEILI_ZONE', help: 'topology zone: sources of the same one are asked first' },
  mirroredRegistries: {
    flags: '--mirrored-registries <registry...>',
    env: 'MIRRORED_REGISTRIES',
    help: 'the only registries that are mirrored; without it all are',
  },
  registryFilters: {
    flags: '--registry-filters <pattern...>',
    env: 'REGISTRY_FILTERS',
    help: 'RE2 patterns: what one of them finds in registry/repository[:tag] is not mirrored',
  },
  blobsOnlyRegistries: {
    flags: '--blobs-only-registries <registry...>',
    env: 'PEILI_BLOBS_ONLY_REGISTRIES',
    help: 'registries whose tags and manifests come from upstream alone, so that it authorises every pull',
  },
  resolveLatestTag: {
    flags: '--resolve-latest-tag [boolean]',
    env: 'RESOLVE_LATEST_TAG',
    help: 'old spelling: false means --registry-filters :latest$',
    fallback: 'true',
  },
  modePath: {
    flags: '--mode-path <file...>',
    env: 'PEILI_MODE_PATH',
    help: 'files with one word, read every 5 s: on, serve-only (containerd is sent upstream, other mirrors are served) or off; the strictest counts, and one that is not there says on',
  },
  tagMaxAge: {
    flags: '--tag-max-age <duration>',
    env: 'PEILI_TAG_MAX_AGE',
    help: 'a tag resolved longer ago is neither answered nor advertised; 0: no limit',
    fallback: '0',
  },
  blobVerification: {
    flags: '--blob-verification <when>',
    env: 'PEILI_BLOB_VERIFICATION',
    help: 'when blobs are hashed as they pass: off, suspect or always',
    fallback: 'suspect',
  },
  mirrorResolveTimeout: {
    flags: '--mirror-resolve-timeout <duration>',
    env: 'MIRROR_RESOLVE_TIMEOUT',
    help: 'how long members are asked who has it, before the answer is 404 (default: 100ms)',
  },
  mirrorResolveRetries: {
    flags: '--mirror-resolve-retries <count>',
    env: 'MIRROR_RESOLVE_RETRIES',
    help: 'how many sources one request may try without a byte of progress (default: 8)',
  },
  canaryInterval: {
    flags: '--canary-interval <duration>',
    env: 'PEILI_CANARY_INTERVAL',
    help: 'how often containerd is made to pull a tiny image that only mirrors have, to prove that it uses this one; 0: never (default: 1h)',
  },
  logLevel: {
    flags: '--log-level <level>',
    env: 'LOG_LEVEL',
    help: 'DEBUG, INFO, WARN or ERROR',
    fallback: 'INFO',
  },
  requestLog: {
    flags: '--request-log [boolean]',
    env: 'PEILI_REQUEST_LOG',
    help: 'a line for every pull: its sources, the bytes of each, and why they changed',
    fallback: 'false',
  },
  debugWebEnabled: {
    flags: '--debug-web-enabled [boolean]',
    env: 'DEBUG_WEB_ENABLED',
    help: 'a page at /debug/web/ on the metrics address: does it work, what was saved, why a pull was slow',
    fallback: 'true',
  },
  debugPort: {
    flags: '--debug-port <port>',
    env: 'PEILI_DEBUG_PORT',
    help: 'CPU profile, heap snapshot and event loop at this port of loopback alone; 0: nowhere',
    fallback: '0',
  },
  watchdog: {
    flags: '--watchdog [boolean]',
    env: 'PEILI_WATCHDOG',
    help: 'a main thread that stands still for 3 s ends the process, so that clients go on elsewhere',
    fallback: 'true',
  },
} as const satisfies Record<string, FlagRow>;

export type FlagName = keyof typeof registryFlags;

/** `--registry-addr`, as it is typed. */
export function flagText(name: FlagName): string {
  return flagName(registryFlags[name]);
}
