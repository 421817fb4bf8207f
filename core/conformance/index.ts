/**
 * The laws of the core's ports, as suites for any implementation of them. A suite is given `test` and `assert` (those of node:test fit), a way to
 * let time pass, a manifest of what the implementation supports, and a factory; a wrapper that spoils borrowed chunks proves that nobody keeps one.
 *
 * @example
 * ```ts
 * import { test } from 'node:test';
 * import assert from 'node:assert/strict';
 * import { clockSuite } from 'peili/conformance';
 *
 * const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 2));
 * clockSuite({ test, assert, pause, manifest: { name: 'my clock', supports: {} }, factory: () => ({ clock: createMyClock() }) });
 * ```
 *
 * @packageDocumentation
 */
export { concatBytes, isSameBytes, readBody } from './body-laws.ts';
export { bytesOfChunk, neverAborted, patternBytes } from './harness.ts';
export type { Assert, BytesOf, Manifest, Subject, SuiteTools, TestFunction } from './harness.ts';
export { peerClientSuite } from './peer-client-suite.ts';
export type {
  PeerClientCapability,
  PeerClientSubject,
  PeerClientSuiteOptions,
  PeerFault,
  PeerScript,
  ScriptedPeer,
} from './peer-client-suite.ts';
export { clockSuite } from './clock-suite.ts';
export type { ClockSubject, ClockSuiteOptions } from './clock-suite.ts';
export type { ClusterNode, ClusterSubject } from './cluster-subject.ts';
export { contentStoreSuite } from './content-store-suite.ts';
export type {
  AddedContent,
  AddedImage,
  ContentStoreCapability,
  ContentStoreSubject,
  ContentStoreSuiteOptions,
} from './content-store-suite.ts';
export { digesterSuite } from './digester-suite.ts';
export type { DigesterSubject, DigesterSuiteOptions } from './digester-suite.ts';
export { membershipSuite } from './membership-suite.ts';
export type { MembershipCapability, MembershipSuiteOptions } from './membership-suite.ts';
export { nodeEventExamples, observerSuite, pullStepExamples } from './observer-suite.ts';
export type { ObserverSubject, ObserverSuiteOptions } from './observer-suite.ts';
export { poisonBodies, poisonBody } from './poison.ts';
export type { Poisoned } from './poison.ts';
export { probeSuite } from './probe-suite.ts';
export type { ProbeCapability, ProbeSubject, ProbeSuiteOptions } from './probe-suite.ts';
export { randomSuite } from './random-suite.ts';
export type { RandomSubject, RandomSuiteOptions } from './random-suite.ts';
export { recordsSuite } from './records-suite.ts';
export type { RecordsCapability, RecordsSuiteOptions } from './records-suite.ts';
