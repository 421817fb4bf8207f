export type { Body, Chunk } from './body.ts';
export type { Clock, Timer } from './clock.ts';
export type {
  ContentInfo,
  ContentStore,
  Disposer,
  ResolvedTag,
  StoreChange,
  StoreListing,
  TagEntry,
} from './content-store.ts';
export type { DigestAlgorithm, Digester, DigestStream } from './digester.ts';
export type { Member, MemberKind, Membership, MembershipChange } from './membership.ts';
export type {
  CanaryOutcome,
  LookupOutcome,
  MirrorMode,
  NodeEvent,
  Observer,
  PullEnd,
  PullEvent,
  PullStep,
  SourceId,
} from './observer.ts';
export { localSourceId, mirrorModes, peersSourceId, silentObserver } from './observer.ts';
export type { PeerClient, PeerRequest, PeerResponse } from './peer-client.ts';
export type { Probe } from './probe.ts';
export { silentProbe } from './probe.ts';
export type { Random } from './random.ts';
export type { Holder, LookupAnswer, RecordBatch, RecordEntry, Records, RecordsHandler, RoutingKey } from './records.ts';
