/**
 * Every bound of the mirror, with its reason. Times are microseconds, sizes bytes, rates bytes per second.
 * A test that asserts a bound on real parts takes twice the value from here.
 */
export interface Limits {
  readonly peerHeadTimeoutUs: number;
  readonly manifestTimeoutUs: number;
  readonly dialTimeoutUs: number;
  readonly blobHeadTimeoutUs: number;
  readonly hedgeDelayUs: number;
  readonly stallTimeoutUs: number;
  readonly minimumRateBytesPerSecond: number;
  readonly minimumRateWindowUs: number;
  readonly crawlRateBytesPerSecond: number;
  readonly lookupTimeoutUs: number;
  readonly lookupMissTimeoutUs: number;
  readonly windowBytes: number;
  readonly windowLeadBytes: number;
  readonly manifestMaxBytes: number;
  readonly attemptsMax: number;
  readonly racingHeadsMax: number;
  readonly sourcesMax: number;
  readonly failureMemoryUs: number;
  readonly failureMemoryMax: number;
  readonly crawlMemoryUs: number;
  readonly demotionUs: number;
  readonly busyDemotionUs: number;
  readonly speedMemoryUs: number;
  readonly sizeMemoryMax: number;
  readonly relookupDelayUs: number;
  readonly selfChecksMax: number;
  readonly suspicionWindowUs: number;
  readonly servedMemoryMax: number;
  readonly selfCheckWaitUs: number;
  readonly selfCheckMemoryUs: number;
  readonly uploadsMax: number;
  readonly requestsMax: number;
  readonly drainTimeoutUs: number;
  readonly requestHeadMaxBytes: number;
  readonly requestHeadTimeoutUs: number;
  readonly pipelinedRequestsMax: number;
  readonly clientConnectionsMax: number;
  readonly serverIdleTimeoutUs: number;
  readonly lingerTimeoutUs: number;
  readonly responseHeadMaxBytes: number;
  readonly deadClientTimeoutUs: number;
  readonly dialAddressesMax: number;
  readonly idleConnectionTimeoutUs: number;
  readonly idleConnectionsPerPeerMax: number;
  readonly idleConnectionsMax: number;
  readonly bufferBudgetBytes: number;
  readonly bufferMaxBytes: number;
  readonly bufferMinBytes: number;
  readonly smallContentMaxBytes: number;
  readonly smallContentCacheBytes: number;
  readonly smallContentReadsMax: number;
  readonly hostsLookIntervalUs: number;
  readonly hostsMendDelayUs: number;
  readonly hostsMendIntervalUs: number;
  readonly storeScanDelayUs: number;
  readonly storeScanRetryUs: number;
  readonly storeChecksMax: number;
  readonly storeNamesPerImageMax: number;
  readonly containerdCallTimeoutUs: number;
  readonly containerdListTimeoutUs: number;
  readonly containerdRetryMinUs: number;
  readonly containerdRetryMaxUs: number;
  readonly routingReplicas: number;
  readonly noHolderQuorum: number;
  readonly silentLookupsMax: number;
  readonly spegelLookupsMax: number;
  readonly positionsCachedMax: number;
  readonly recordTtlUs: number;
  readonly kadRecordTtlUs: number;
  readonly advertiseIntervalUs: number;
  readonly kadAdvertiseIntervalUs: number;
  readonly advertiseDelayUs: number;
  readonly advertiseRetryUs: number;
  readonly recordsSendTimeoutUs: number;
  readonly sendsAtOnceMax: number;
  readonly reconcileIntervalUs: number;
  readonly tombstoneUs: number;
  readonly warmingMaxUs: number;
  readonly recordsPerSenderMax: number;
  readonly recordsMax: number;
  readonly holdersPerAnswerMax: number;
  readonly closerPerAnswerMax: number;
  readonly recordsMessageMaxBytes: number;
  readonly kadMessageMaxBytes: number;
  readonly halfMessagesMaxBytes: number;
  readonly streamsPerConnectionMax: number;
  readonly membersMax: number;
  readonly memberRetryUs: number;
  readonly memberDialTimeoutUs: number;
  readonly connectionsMax: number;
  readonly dnsIntervalUs: number;
  readonly bootstrapRetryMinUs: number;
  readonly bootstrapRetryMaxUs: number;
  readonly pageConnectionsMax: number;
  readonly pageIdleTimeoutUs: number;
  readonly measureIntervalUs: number;
  readonly measureTimeoutUs: number;
  readonly measureMaxBytes: number;
  readonly measureObjectsMax: number;
  readonly measurementsMax: number;
  readonly viewPullsMax: number;
  readonly viewObjectsMax: number;
  readonly viewStepsMax: number;
  readonly viewPullGapUs: number;
  readonly viewMembersMax: number;
  readonly viewImagesMax: number;
  readonly viewImagesAgeUs: number;
  readonly viewTroublesMax: number;
  readonly upstreamMissesMax: number;
  readonly upstreamSamplesMax: number;
  readonly upstreamSampleMinBytes: number;
  readonly profileTimeMaxUs: number;
  readonly watchdogTickUs: number;
  readonly watchdogStandstillUs: number;
  readonly watchdogLastWordsUs: number;
  readonly modeReadIntervalUs: number;
  readonly canaryIntervalUs: number;
  readonly canaryRetryUs: number;
  readonly canaryTimeoutUs: number;
  readonly canariesRememberedMax: number;
}

const second = 1_000_000;
const millisecond = 1_000;
const mebibyte = 1024 * 1024;

export const defaultLimits: Limits = Object.freeze({
  /** HEAD forwarded to one peer: a healthy one answers in a few milliseconds; the client waits for the sum of the attempts (L4). */
  peerHeadTimeoutUs: 1 * second,
  /** A manifest from one peer, its body included: at most 4 MiB, which any link carries in a second (L4). */
  manifestTimeoutUs: 2 * second,
  /** A connection inside one cluster takes a round trip or does not come at all. */
  dialTimeoutUs: 250 * millisecond,
  /** The head of a blob's window: one disk seek at the peer; after it another source is asked (L3). */
  blobHeadTimeoutUs: 500 * millisecond,
  /** Far above a healthy head and below the time-outs: a second source is asked in parallel from here on. */
  hedgeDelayUs: 150 * millisecond,
  /** No byte for so long while the client takes bytes is a stall: longer than a retransmission, far below containerd's 5 min (L3). */
  stallTimeoutUs: 2 * second,
  /** Below it a 1 GB layer takes hours: switch if another source exists, else go on, down to a crawl. */
  minimumRateBytesPerSecond: 64 * 1024,
  /** The rate is judged over so much time spent waiting for the source, so that bursts and slow readers are not slow sources. */
  minimumRateWindowUs: 10 * second,
  /** Below it a source is left even where there is no other, once: 50 MB take an hour. A node that fills all its upload slots gives each more over 40 Mbit/s. */
  crawlRateBytesPerSecond: 16 * 1024,
  /** All of a lookup (L4). Where everybody pulls at once, a member that no connection is held to has a queue of handshakes before it: 36 of them in a rollout to 100 nodes, a quarter of a second. */
  lookupTimeoutUs: 400 * millisecond,
  /** Once two members have said no, the rest is waited for no longer than until here: what a miss may cost an object (L6). */
  lookupMissTimeoutUs: 25 * millisecond,
  /** One range request: what a client's hang-up wastes at most, and how often a source can be changed for free. */
  windowBytes: 8 * mebibyte,
  /** The next window is asked for when so many bytes of this one are left, so that its head has arrived by then. */
  windowLeadBytes: 2 * mebibyte,
  /** The size that registries must accept (distribution-spec, "Pushing Manifests"), and all that is ever buffered of one. */
  manifestMaxBytes: 4 * mebibyte,
  /** Attempts of one request before it ends, resumes included, without a byte of progress between them (L11). */
  attemptsMax: 8,
  /** Heads that race for one window: the first and its hedge. */
  racingHeadsMax: 2,
  /** Sources kept for one request. */
  sourcesMax: 16,
  /** A source that failed at an offset is not used there again for so long; longer than containerd's retries, shorter than a repair. */
  failureMemoryUs: 60 * second,
  /** (digest, source) pairs remembered; the oldest goes first. */
  failureMemoryMax: 4096,
  /** Who crawled, and is all there is, is not left again for the same content for so long: a kubelet has come again by then (its longest back-off, twice), and the upstream had given the rest. */
  crawlMemoryUs: 600 * second,
  /** A source that timed out goes last for so long: an unplugged node costs one time-out in this time, not one per object. */
  demotionUs: 30 * second,
  /** A source that said it is overloaded, refused or hung up is not the first one asked for so long: not by every request of that moment. */
  busyDemotionUs: 1 * second,
  /** A measured speed counts for so long: a member that was busy is not last for ever, since who goes last is not measured again. */
  speedMemoryUs: 60 * second,
  /** Sizes remembered from verified manifests, about 150 bytes each: the layers of some thousand images. */
  sizeMemoryMax: 16_384,
  /** A body that has lost its sources looks for new ones at most this often: longer than a lookup among members that are well. */
  relookupDelayUs: 100 * millisecond,
  /** Own files checked at once or waiting for it; a further suspicion goes unproven. */
  selfChecksMax: 16,
  /** The same bytes asked for again within this time put their sources under suspicion (L8). */
  suspicionWindowUs: 60 * second,
  /** Served bodies remembered for it. */
  servedMemoryMax: 4096,
  /** How long a suspect's proof is waited for before the client is sent upstream (L8). */
  selfCheckWaitUs: 500 * millisecond,
  /** How long a node's own check of a file counts, so that suspicion costs one hash of it a minute. */
  selfCheckMemoryUs: 60 * second,
  /** Blob bodies served to mirrors at once; above it 503, so that they go to another holder (L11). Two windows for each of 64 relays, twice. */
  uploadsMax: 256,
  /** Requests in work at once, from everybody; above it 503 (to containerd 404). */
  requestsMax: 4096,
  /** From SIGTERM to the end of bodies in flight: below Kubernetes' grace period of 30 s. */
  drainTimeoutUs: 25 * second,
  /** A request's head: paths and a few headers. */
  requestHeadMaxBytes: 16 * 1024,
  /** A client that does not finish its head in this time is dead or hostile. */
  requestHeadTimeoutUs: 10 * second,
  /** Requests that wait on one connection for the answer before theirs; no client of a registry pipelines. */
  pipelinedRequestsMax: 16,
  /** Open client connections, idle ones included: twice the requests in work. */
  clientConnectionsMax: 8192,
  /** A client's idle connection is kept so long: above the 30 s and 90 s after which Go's clients, ours and containerd's close it themselves. */
  serverIdleTimeoutUs: 120 * second,
  /** After a FIN the client's own bytes are read for so long: closing on unread ones would turn it into an RST. */
  lingerTimeoutUs: 2 * second,
  /** A peer's response head. */
  responseHeadMaxBytes: 16 * 1024,
  /** A client that takes no byte for so long, while there are bytes for it, is gone. */
  deadClientTimeoutUs: 300 * second,
  /** Addresses of one member that are dialled: one of each family, twice. */
  dialAddressesMax: 4,
  /** An idle connection is kept so long; above node's and Go's keep-alive habits it would be closed under us. */
  idleConnectionTimeoutUs: 30 * second,
  /** Idle connections kept for one peer: two windows for each of 32 bodies. Fewer, and many bodies from one holder dial anew for each window. */
  idleConnectionsPerPeerMax: 64,
  /** Idle connections to all peers, 16 KiB of buffer each. */
  idleConnectionsMax: 256,
  /** All transfer buffers together: beyond it each body gets smaller ones (L11). */
  bufferBudgetBytes: 64 * mebibyte,
  /** One transfer buffer at most: larger ones bring nothing (reference measurements in docs/decisions). */
  bufferMaxBytes: 1 * mebibyte,
  /** One transfer buffer at least: all upload slots, two buffers each, take half of the budget and leave the rest to relays. Below it the cost per chunk shows. */
  bufferMinBytes: 64 * 1024,
  /** Content up to here (manifests and configs, nearly all of them) is read whole and kept in memory while its file does not change. */
  smallContentMaxBytes: 64 * 1024,
  /** All of that together: the manifests and configs of a thousand images. */
  smallContentCacheBytes: 8 * mebibyte,
  /** Small files read at once: four threads read files, a few more keep them busy, and 16 x 64 KiB is what it costs. */
  smallContentReadsMax: 16,
  /** hosts.toml is looked at again, whatever was seen: a few small files, and where a change cannot be seen pulls go upstream for so long. */
  hostsLookIntervalUs: 30 * second,
  /** A distribution that starts writes several files: they are mended together, once it is done. */
  hostsMendDelayUs: 500 * millisecond,
  /** From one mend to the next: another program that undoes each of them costs both a few writes, not a core. */
  hostsMendIntervalUs: 10 * second,
  /** Changes in a directory come in bursts: it is read again so long after the first of them. */
  storeScanDelayUs: 20 * millisecond,
  /** A directory that could not be read or watched is tried again after this time. */
  storeScanRetryUs: 2 * second,
  /** Changed contents that are asked about one by one; for more of them one list of everything is cheaper. */
  storeChecksMax: 64,
  /** Contents that one image gives its name to: the largest images have a few hundred, and a hostile index of 4 MiB has thirty thousand. */
  storeNamesPerImageMax: 4096,
  /** One call to containerd: what takes longer hangs, and the connection is made anew. */
  containerdCallTimeoutUs: 10 * second,
  /** One list of all its content: 5,000 take a tenth of a second, but a disk may be busy; what takes a minute would be due again. */
  containerdListTimeoutUs: 60 * second,
  /** First retry when containerd does not answer, doubling: it restarts within a second. */
  containerdRetryMinUs: 100 * millisecond,
  /** Last retry: a connection to a local socket costs nothing. */
  containerdRetryMaxUs: 5 * second,
  /** Members that keep a key's records: two may fail. */
  routingReplicas: 3,
  /** Members that must say "nobody" before it is believed. */
  noHolderQuorum: 2,
  /** Misses in a row that ended before a member's answer: then it is taken for gone, which one slow answer does not prove. */
  silentLookupsMax: 3,
  /** Spegel v0.4 answers for itself alone, so the nearest so many are asked besides: a rack of it in mid-migration, at 0.1 ms of their CPU each. */
  spegelLookupsMax: 32,
  /** Keys of texts and positions of keys remembered, about 200 bytes each: those of a rollout's images. */
  positionsCachedMax: 4096,
  /** A record lives so long unless it is said again: twice the interval. */
  recordTtlUs: 40 * 60 * second,
  /** What a Spegel node said: it says it again every 15 min, up to 2 min late, twice. */
  kadRecordTtlUs: 19 * 60 * second,
  /** How often everything is said again. A round costs a handshake with every member that no connection is held to: at 400 members half a percent of a core at 10 min, too much. */
  advertiseIntervalUs: 20 * 60 * second,
  /** The same for Spegel nodes, which may drop a provider after a quarter of an hour. */
  kadAdvertiseIntervalUs: 10 * 60 * second,
  /** Changes are gathered for so long before they are said: an image's blobs then travel in one batch per member. */
  advertiseDelayUs: 20 * millisecond,
  /** A member that could not be told is told again after this time. */
  advertiseRetryUs: 2 * second,
  /** One batch to one member, its dial included. */
  recordsSendTimeoutUs: 5 * second,
  /** Batches under way at once. */
  sendsAtOnceMax: 16,
  /** The store is listed again and compared, whatever its events said. */
  reconcileIntervalUs: 60 * second,
  /** How long a withdrawal is remembered, so that a late addition does not bring the record back. */
  tombstoneUs: 60 * second,
  /** A restarted member says "warming" for at most so long. */
  warmingMaxUs: 30 * second,
  /** Records of one sender: 20,000 keys, far above a node's store, over R members. */
  recordsPerSenderMax: 20_000,
  /** Records in all: about 200 bytes each. */
  recordsMax: 500_000,
  /** Holders in one answer: nearest zone and freest first. */
  holdersPerAnswerMax: 16,
  /** Closer members in one answer. */
  closerPerAnswerMax: 3,
  /** One message of the records protocol. */
  recordsMessageMaxBytes: 1 * mebibyte,
  /** One request of the Kademlia protocol: a key, and the addresses of the sender. What Spegel nodes answer may be as long as a records message. */
  kadMessageMaxBytes: 64 * 1024,
  /** Bytes of messages that have not arrived whole, over all streams: 32 of the longest at once; beyond it the stream is reset (L11). */
  halfMessagesMaxBytes: 32 * mebibyte,
  /** Streams of each protocol that one connection may open to this node: a member keeps one, and opens another while it closes that (L11). */
  streamsPerConnectionMax: 4,
  /** Members kept: the largest cluster Kubernetes supports. */
  membersMax: 5_000,
  /** A member that could not be reached is not dialled again for so long, unless it says so itself. */
  memberRetryUs: 30 * second,
  /** A connection between routers, handshakes included: 15 ms of CPU for both, and all members may be starting. Lookups do not wait for it. */
  memberDialTimeoutUs: 2 * second,
  /** Open libp2p connections held: a full mesh costs a quarter of a gigabyte at 400 members. */
  connectionsMax: 64,
  /** DNS bootstrap while there are peers, with jitter: 1,000 nodes asking every 3 s would be 5 MB/s on the cluster's DNS. */
  dnsIntervalUs: 60 * second,
  /** First retry of bootstrap while alone, doubling. */
  bootstrapRetryMinUs: 50 * millisecond,
  /** Last retry of bootstrap while alone. */
  bootstrapRetryMaxUs: 10 * second,
  /** Open connections to the metrics address, and to each other one that serves pages: a few scrapers and people, and no more descriptors than mirroring can spare. */
  pageConnectionsMax: 256,
  /** A connection there on which nothing moves for so long is closed: above the time that a measurement may take. */
  pageIdleTimeoutUs: 90 * second,
  /** A measurement asked for on the page is an order to read a whole image: no more often than this, and one at a time. */
  measureIntervalUs: 5 * second,
  /** A measurement ends after so long, with what it has read by then. */
  measureTimeoutUs: 60 * second,
  /** And after so many bytes: enough to know the rate of any link. */
  measureMaxBytes: 1024 * mebibyte,
  /** Manifests and blobs that one measurement reads: above the 127 layers that overlayfs takes. */
  measureObjectsMax: 160,
  /** Results that the page keeps. */
  measurementsMax: 4,
  /** Images whose last pulls the page shows: what is kept of them is about 100 KiB each at most. */
  viewPullsMax: 16,
  /** Manifests and blobs of one image that it tells apart; images have 10 to 40. */
  viewObjectsMax: 64,
  /** Failures and runs of bytes told of one of them: beyond it a number says how many more. */
  viewStepsMax: 24,
  /** Requests for one repository that are farther apart belong to two pulls: containerd unpacks in between. */
  viewPullGapUs: 30 * second,
  /** Members that the page lists; all are counted. */
  viewMembersMax: 200,
  /** Names of the content store that the page lists; all are counted. */
  viewImagesMax: 100,
  /** The store is listed for the page no more often than this. */
  viewImagesAgeUs: 10 * second,
  /** Kinds of trouble outside of pulls that the page remembers. */
  viewTroublesMax: 16,
  /** Blobs answered 404 whose arrival from upstream is waited for, to learn its rate: those of some thirty images. */
  upstreamMissesMax: 1024,
  /** The last of them that the rate is reckoned from. */
  upstreamSamplesMax: 64,
  /** A smaller blob measures round trips, not a rate. */
  upstreamSampleMinBytes: mebibyte,
  /** A CPU profile, or a look at the event loop, lasts at most so long: it costs a few percent, and its samples some MiB. */
  profileTimeMaxUs: 120 * second,
  /** How often the main thread shows that it turns, and the watching one looks: eight wake-ups a second in all cost a thousandth of a core. */
  watchdogTickUs: 250 * millisecond,
  /** A main thread without a turn for so long, waits for a processor not counted, ends the process (L3): above every pause of a healthy one, garbage collection included, and it has ended before 5 s. */
  watchdogStandstillUs: 3 * second,
  /** What finding out where it stands may take, and then saying so: 20 ms when all is well; on a crowded machine it takes longer, and the log's reader may be what hangs. */
  watchdogLastWordsUs: 700 * millisecond,
  /** How often the files of --mode-path are read: the kubelet renews a ConfigMap's within about a minute, to which this adds little. */
  modeReadIntervalUs: 5 * second,
  /** How often it is proven again that containerd uses this mirror: three small requests and an image removed. */
  canaryIntervalUs: 60 * 60 * second,
  /** After a proof that failed: whoever mends a node does not wait an hour to see it. */
  canaryRetryUs: 60 * second,
  /** A pull of 4 KiB from this node; containerd may be unpacking others, and asks DNS where its configuration is wrong. */
  canaryTimeoutUs: 30 * second,
  /** Canaries whose asking is remembered: those of some hundred nodes behind one service, until each has been read. */
  canariesRememberedMax: 1024,
});

/** Some limits replaced. */
export function limitsWith(changes: Partial<Limits>): Limits {
  return Object.freeze({ ...defaultLimits, ...changes });
}
