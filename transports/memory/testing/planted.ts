import { test } from 'node:test';
import assert from 'node:assert/strict';
import { contentStoreSuite, membershipSuite, peerClientSuite, recordsSuite } from '../../../core/conformance/index.ts';
import type { ClusterNode, SuiteTools } from '../../../core/conformance/index.ts';
import type { Body, ContentStore, PeerClient, Records } from '../../../core/index.ts';
import { createMemorySubjects } from './subjects.ts';

export const subjects = createMemorySubjects();

/** Runs a suite by itself: the names of the laws that failed. */
async function failuresOf(
  declare: (tools: SuiteTools) => void,
  only: RegExp,
  pause: () => Promise<void>,
): Promise<readonly string[]> {
  const laws: { readonly name: string; readonly run: () => Promise<void> }[] = [];
  const record = (name: string, { skip }: { readonly skip?: string }, run: () => Promise<void>): void => {
    if (skip === undefined && only.test(name)) laws.push({ name, run });
  };
  declare({ test: record, assert, pause, pausesMax: 500 });
  const failures: string[] = [];
  for (const { name, run } of laws) {
    const failed = await run().then(
      () => false,
      () => true,
    );
    if (failed) failures.push(name);
  }
  return failures;
}

/**
 * Runs one law of a suite on a memory implementation, without and with a bug: only with it may it fail.
 * `pause` is the suite's; real time where threads are at work.
 */
export function planted(
  what: string,
  law: RegExp,
  declare: (tools: SuiteTools, hasBug: boolean) => void,
  pause: () => Promise<void> = subjects.pause,
): void {
  void test(`planted bug: ${what}`, async () => {
    const failing = (hasBug: boolean) => failuresOf((tools) => declare(tools, hasBug), law, pause);
    assert.deepEqual(await failing(false), []);
    assert.notDeepEqual(await failing(true), [], `no law of ${law} noticed it`);
  });
}

export function plantInBodies(what: string, law: RegExp, spoil: (body: Body) => Body): void {
  planted(`store: ${what}`, law, (tools, hasBug) => {
    contentStoreSuite({
      ...tools,
      manifest: { name: 'bug', supports: { truncation: true, 'media-types': true } },
      factory: async () => {
        const subject = subjects.contentStore();
        const { store } = subject;
        const open: ContentStore['open'] = async (...call) => spoil(await store.open(...call));
        return hasBug ? { ...subject, store: { ...store, open } } : subject;
      },
    });
  });
  planted(`peer client: ${what}`, law, (tools, hasBug) => {
    plantInPeers(tools, hasBug, (client) => ({
      fetch: async (...call) => {
        const { body, ...head } = await client.fetch(...call);
        return body === undefined ? head : { ...head, body: spoil(body) };
      },
    }));
  });
}

export function plantInStore(
  tools: SuiteTools,
  hasBug: boolean,
  change: (store: ContentStore) => Partial<ContentStore>,
): void {
  contentStoreSuite({
    ...tools,
    manifest: { name: 'bug', supports: { truncation: true, 'media-types': true } },
    factory: async () => {
      const subject = subjects.contentStore();
      return hasBug ? { ...subject, store: { ...subject.store, ...change(subject.store) } } : subject;
    },
  });
}

export function plantInPeers(tools: SuiteTools, hasBug: boolean, change: (client: PeerClient) => PeerClient): void {
  peerClientSuite({
    ...tools,
    manifest: {
      name: 'bug',
      supports: { garbage: 'no wire', 'black-hole': true, refusing: true, 'repeated-headers': 'no wire' },
    },
    factory: async () => {
      const subject = subjects.peerClient();
      return hasBug ? { ...subject, client: change(subject.client) } : subject;
    },
  });
}

export function plantInRecords(
  tools: SuiteTools,
  hasBug: boolean,
  change: (records: Records) => Partial<Records>,
): void {
  recordsSuite({
    ...tools,
    manifest: { name: 'bug', supports: { stop: true } },
    factory: async () => {
      const subject = subjects.cluster();
      const nodes = subject.nodes.map((node) => ({ ...node, records: { ...node.records, ...change(node.records) } }));
      return hasBug ? { ...subject, nodes } : subject;
    },
  });
}

export function plantInMembership(
  tools: SuiteTools,
  hasBug: boolean,
  change: (node: ClusterNode) => ClusterNode,
): void {
  membershipSuite({
    ...tools,
    manifest: { name: 'bug', supports: { join: true, stop: true, restart: true } },
    factory: async () => {
      const subject = subjects.cluster();
      return hasBug ? { ...subject, nodes: subject.nodes.map(change) } : subject;
    },
  });
}
