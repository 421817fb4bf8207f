import type { NodeEvent, Observer, PullStep } from '../ports/index.ts';
import { createHarness } from './harness.ts';
import type { Manifest, Subject, SuiteTools } from './harness.ts';

export interface ObserverSubject extends Subject {
  readonly observer: Observer;
}

export interface ObserverSuiteOptions extends SuiteTools {
  readonly manifest: Manifest<never>;
  readonly factory: () => Promise<ObserverSubject> | ObserverSubject;
}

const digest = `sha256:${'7a'.repeat(32)}`;

/** One event of each type: the types make sure that none is forgotten. */
export const pullStepExamples: { readonly [Type in PullStep['type']]: Extract<PullStep, { type: Type }> } = {
  start: {
    type: 'start',
    method: 'GET',
    resource: 'blob',
    key: digest,
    registry: 'docker.io',
    repository: 'library/busybox',
    mirrored: false,
    range: undefined,
  },
  lookup: { type: 'lookup', sources: 2, tookUs: 900, outcome: 'found' },
  attempt: { type: 'attempt', source: 'peer-1', zone: 'zone-a', from: 0, hedge: false },
  'attempt-failed': { type: 'attempt-failed', source: 'peer-1', reason: 'DIAL_REFUSED', tookUs: 300 },
  head: { type: 'head', source: 'peer-2', status: 200, sizeBytes: undefined, tookUs: 1_200, ageUs: 5_000_000 },
  bytes: { type: 'bytes', source: 'peer-2', from: 0, to: 4_096 },
  stall: { type: 'stall', source: 'peer-2', at: 4_096, waitedUs: 2_000_000 },
  switch: { type: 'switch', from: 'peer-2', to: 'peer-3', at: 4_096, reason: 'PEER_STALLED' },
  resume: { type: 'resume', source: 'peer-3', at: 4_096 },
  suspect: { type: 'suspect', source: 'peer-3', proof: 'pending' },
  liar: { type: 'liar', source: 'peer-3', digest },
  end: { type: 'end', reason: 'complete', status: 200, bytes: 8_192, tookUs: 2_100_000 },
};

export const nodeEventExamples: { readonly [Type in NodeEvent['type']]: Extract<NodeEvent, { type: Type }> } = {
  advertised: { type: 'advertised', keys: 5, digests: 4, tags: 1 },
  'advertise-failed': { type: 'advertise-failed', member: 'peer-1', reason: 'MEMBER_UNREACHABLE' },
  withdrawn: { type: 'withdrawn', keys: 2 },
  draining: { type: 'draining' },
  mode: { type: 'mode', mode: 'serve-only' },
  'mode-failed': { type: 'mode-failed', reason: 'it says "of"' },
  records: { type: 'records', keys: 12, senders: 3, warming: false },
  members: { type: 'members', total: 3, connected: 2 },
  ready: { type: 'ready', ready: true, reason: '' },
  'content-wrong': { type: 'content-wrong', digest },
  unauthorized: { type: 'unauthorized', mirrored: false },
  'hosts-mended': { type: 'hosts-mended', paths: ['/etc/containerd/certs.d/_default/hosts.toml'] },
  'hosts-failed': { type: 'hosts-failed', reason: 'HOSTS_UNWRITABLE' },
  'request-failed': { type: 'request-failed', reason: 'a reason' },
  'store-failed': { type: 'store-failed', reason: 'EIO' },
  'store-connection': { type: 'store-connection', store: 'containerd', connected: false, reason: 'nothing answers' },
  canary: { type: 'canary', arrived: false, outcome: 'not-asked', reason: 'containerd does not use it', tookUs: 900 },
  'name-skipped': { type: 'name-skipped', name: 'not a name', reason: 'it is no registry/repository:tag' },
};

/** The laws of `Observer`. */
export function observerSuite({ manifest, factory, ...tools }: ObserverSuiteOptions): void {
  const { assert, law } = createHarness(tools, 'observer', manifest, factory);

  law('takes every event of a pull, in order or not', ({ observer }) => {
    const steps = Object.values(pullStepExamples);
    for (const [index, step] of [...steps, ...steps.toReversed()].entries()) {
      const given: unknown = observer.onPull({ pullId: 1 + (index % 3), atUs: 1_000 + index, ...step });
      assert.equal(given, undefined, 'it answers nothing, and not later');
    }
    return Promise.resolve();
  });

  law('takes every event of the node', ({ observer }) => {
    for (const event of Object.values(nodeEventExamples)) {
      const given: unknown = observer.onNode(event);
      assert.equal(given, undefined, 'it answers nothing, and not later');
    }
    return Promise.resolve();
  });

  law('leaves events as they are', ({ observer }) => {
    for (const step of Object.values(pullStepExamples)) observer.onPull(Object.freeze({ pullId: 1, atUs: 1, ...step }));
    for (const event of Object.values(nodeEventExamples)) observer.onNode(Object.freeze({ ...event }));
    return Promise.resolve();
  });
}
