import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  clockSuite,
  contentStoreSuite,
  membershipSuite,
  observerSuite,
  peerClientSuite,
  recordsSuite,
} from '../../core/conformance/index.ts';
import { createMemorySubjects } from './testing/subjects.ts';

const subjects = createMemorySubjects();
const tools = { test, assert, pause: subjects.pause };
const name = 'memory';

clockSuite({ ...tools, manifest: { name: 'virtual', supports: {} }, factory: () => subjects.clock() });

contentStoreSuite({
  ...tools,
  manifest: { name, supports: { truncation: true, 'media-types': true } },
  factory: async () => subjects.contentStore(),
});

membershipSuite({
  ...tools,
  manifest: { name, supports: { join: true, stop: true, restart: true } },
  factory: async () => subjects.cluster(),
});

recordsSuite({ ...tools, manifest: { name, supports: { stop: true } }, factory: async () => subjects.cluster() });

const noWire = 'nodes in one process have no wire to talk nonsense on';
peerClientSuite({
  ...tools,
  manifest: {
    name,
    supports: { garbage: noWire, 'black-hole': true, refusing: true, 'repeated-headers': noWire },
  },
  factory: async () => subjects.peerClient(),
});

observerSuite({ ...tools, manifest: { name: 'recording', supports: {} }, factory: () => subjects.observer() });
