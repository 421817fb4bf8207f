import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** From a local answer to an hour: factors of about 4. */
const pullSeconds = [0.001, 0.005, 0.02, 0.1, 0.4, 1.5, 6, 25, 100, 400, 1600];
/** From loopback to the bound of a lookup. */
const lookupSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** All metrics of one node, in a registry of its own. Every label has few values, known beforehand; names of peers, repositories and tags are never labels. */
export function createMetricSet() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    ...spegelMetrics(registers),
    ...pullMetrics(registers),
    ...relayMetrics(registers),
    ...nodeMetrics(registers),
    ...canaryMetrics(registry),
  };
}

export type MetricSet = ReturnType<typeof createMetricSet>;

/** Spegel's names, where the meaning is the same: dashboards carry over. */
function spegelMetrics(registers: Registry[]) {
  return {
    mirrorRequests: new Counter({
      name: 'spegel_mirror_requests_total',
      help: 'Requests of clients for what this node lacks: hit if a peer gave it.',
      labelNames: ['registry', 'cache'],
      registers,
    }),
    mirrorLastSuccess: new Gauge({
      name: 'spegel_mirror_last_success_timestamp_seconds',
      help: 'When a peer last gave what a client asked for.',
      registers,
    }),
    resolveDuration: new Histogram({
      name: 'spegel_resolve_duration_seconds',
      help: 'How long lookups took.',
      labelNames: ['router'],
      buckets: lookupSeconds,
      registers,
    }),
    advertisedTags: new Gauge({
      name: 'spegel_advertised_image_tags',
      help: 'Tags that this node advertises.',
      labelNames: ['registry'],
      registers,
    }),
    advertisedDigests: new Gauge({
      name: 'spegel_advertised_content_digests',
      help: 'Digests that this node advertises.',
      labelNames: ['registry'],
      registers,
    }),
  };
}

function pullMetrics(registers: Registry[]) {
  return {
    pulls: new Counter({
      name: 'peili_pulls_total',
      help: 'Requests that ended, by how.',
      labelNames: ['resource', 'asker', 'end'],
      registers,
    }),
    pullDuration: new Histogram({
      name: 'peili_pull_duration_seconds',
      help: 'From a request to the end of its answer.',
      labelNames: ['resource', 'asker'],
      buckets: pullSeconds,
      registers,
    }),
    pullsInFlight: new Gauge({
      name: 'peili_pulls_in_flight',
      help: 'Requests being answered.',
      labelNames: ['asker'],
      registers,
    }),
    bytes: new Counter({
      name: 'peili_bytes_total',
      help: 'Bytes of bodies, by where they came from and who asked.',
      labelNames: ['source', 'asker'],
      registers,
    }),
    uploadsInFlight: new Gauge({
      name: 'peili_uploads_in_flight',
      help: 'Blobs that other mirrors are being given.',
      registers,
    }),
    uploadSlots: new Gauge({
      name: 'peili_upload_slots',
      help: 'Blobs that other mirrors may be given at once.',
      registers,
    }),
  };
}

function relayMetrics(registers: Registry[]) {
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  return {
    lookups: new Counter({
      name: 'peili_lookups_total',
      help: 'Lookups, by their outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    attempts: new Counter({
      name: 'peili_attempts_total',
      help: 'Requests to peers, by their outcome: answered, or the code of the error.',
      labelNames: ['outcome'],
      registers,
    }),
    hedges: counter('peili_hedges_total', 'Requests to a second peer because the first was slow to answer.'),
    stalls: counter('peili_stalls_total', 'Sources that sent nothing, or too little, while the client took bytes.'),
    switches: counter('peili_switches_total', 'Bodies that went on from another source.'),
    resumes: counter('peili_resumes_total', 'Bodies that went on at their next byte after a failure.'),
    suspicions: new Counter({
      name: 'peili_suspicions_total',
      help: 'Sources asked to check their own file, by what they said.',
      labelNames: ['proof'],
      registers,
    }),
    liars: counter('peili_liars_total', 'Sources whose bytes did not match the digest.'),
  };
}

/** Absent until the first canary: neither 0 nor 1 would be true of what nobody has tried. */
function canaryMetrics(registry: Registry) {
  const pending = [
    new Gauge({
      name: 'peili_canary_arrived',
      help: '1 if containerd asked this mirror for the last canary, 0 if not; absent until the first.',
      registers: [],
    }),
    new Gauge({
      name: 'peili_canary_timestamp_seconds',
      help: 'When the last canary was pulled.',
      registers: [],
    }),
  ] as const;
  const [canaryArrived, canaryTimestamp] = pending;
  return {
    canaries: new Counter({
      name: 'peili_canaries_total',
      help: 'Canaries pulled through containerd, by what became of them.',
      labelNames: ['outcome'],
      registers: [registry],
    }),
    setCanary: (arrived: boolean, wallSeconds: number): void => {
      canaryArrived.set(arrived ? 1 : 0);
      canaryTimestamp.set(wallSeconds);
      for (const gauge of pending) registry.registerMetric(gauge);
    },
  };
}

function nodeMetrics(registers: Registry[]) {
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  return {
    advertisedKeys: gauge('peili_advertised_keys', 'Keys that this node advertises: digests and tags.'),
    withdrawnKeys: counter('peili_withdrawn_keys_total', 'Keys that this node took back.'),
    advertiseFailures: counter('peili_advertise_failures_total', 'Members that could not be told.'),
    records: gauge('peili_records', 'Keys that this node keeps holders of, for others.'),
    recordSenders: gauge('peili_record_senders', 'Members whose records this node keeps.'),
    warming: gauge('peili_warming', '1 while this node was not told everything again after its start.'),
    members: gauge('peili_members', 'Members of the cluster that this node has met.'),
    membersConnected: gauge('peili_members_connected', 'Members with an open connection.'),
    ready: gauge('peili_ready', '1 while /readyz says yes.'),
    contentWrong: counter('peili_content_wrong_total', 'Own files that do not match their digest.'),
    storeFailures: counter('peili_store_failures_total', 'Failures to read the content store.'),
    storeConnected: new Gauge({
      name: 'peili_store_connected',
      help: '1 while the program answers whose content this node serves.',
      labelNames: ['store'],
      registers,
    }),
    namesSkipped: counter('peili_names_skipped_total', 'Names in the store that are no reference.'),
    unauthorized: new Counter({
      name: 'peili_unauthorized_requests_total',
      help: 'Requests refused because their user name or password was not the right one.',
      labelNames: ['asker'],
      registers,
    }),
    hostsMended: counter('peili_hosts_mended_total', 'hosts.toml files that were not as configured and are again.'),
    hostsFailures: counter('peili_hosts_failures_total', 'Times when hosts.toml could be neither read nor mended.'),
    mode: new Gauge({
      name: 'peili_mode',
      help: '1 for how much this mirror does: on, serve-only or off.',
      labelNames: ['mode'],
      registers,
    }),
    modeFailures: counter('peili_mode_failures_total', 'Times when a mode file said nothing that is understood.'),
    requestFailures: counter('peili_request_failures_total', 'Requests that a fault of this program broke.'),
    buildInfo: new Gauge({ name: 'peili_build_info', help: 'Always 1.', labelNames: ['version'], registers }),
  };
}
