import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeEvent, PullEvent } from '../../core/index.ts';
import { Kernel } from '../kernel/kernel.ts';
import { Life } from '../kernel/life.ts';
import { FlowNetwork } from '../network/flow-network.ts';
import { Host } from '../network/host.ts';
import type { Party } from '../network/party.ts';
import { recordTrace } from './record-trace.ts';
import { formatTraceJson, formatTraceText } from './trace-lines.ts';
import { Trace } from './trace.ts';
import type { SimStep } from './trace.ts';

const kernel = new Kernel();
const flows = new FlowNetwork(kernel);

function party(name: string, role: Party['role']): Party {
  const rates = { upBytesPerSecond: 1, downBytesPerSecond: 1, mirrorBytesPerSecond: 1 };
  return { host: new Host(flows, { name, zone: 'z0', ...rates }), role, life: new Life(kernel), server: undefined };
}

const parties = { n1: party('n1', 'containerd'), n1Mirror: party('n1', 'mirror'), n2Mirror: party('n2', 'mirror') };
const request = { method: 'GET', target: '/v2/a/blobs/sha256:00?ns=b', headers: { range: 'bytes=5-' } };
const asked: SimStep = { type: 'request', exchange: 3, from: parties.n1, to: parties.n1Mirror, request };
const pull: PullEvent = { type: 'head', pullId: 4, atUs: 5, source: 'n2', status: 206, sizeBytes: 9, tookUs: 70 };
const told: NodeEvent = { type: 'advertised', keys: 4, digests: 3, tags: 1 };

/** Each a step, and what differs from it in one field only. */
const steps: readonly (readonly [SimStep, ...SimStep[]])[] = [
  [
    asked,
    { ...asked, exchange: 4 },
    { ...asked, from: parties.n2Mirror },
    { ...asked, to: parties.n2Mirror },
    { ...asked, to: parties.n1 },
    { ...asked, request: { ...request, method: 'HEAD' } },
    { ...asked, request: { ...request, target: '/v2/a/blobs/sha256:01?ns=b' } },
    { ...asked, request: { ...request, headers: { range: 'bytes=6-' } } },
    { ...asked, request: { ...request, headers: {} } },
  ],
  [
    { type: 'head', exchange: 3, status: 200, headers: { 'content-length': '5' } },
    { type: 'head', exchange: 2, status: 200, headers: { 'content-length': '5' } },
    { type: 'head', exchange: 3, status: 206, headers: { 'content-length': '5' } },
    { type: 'head', exchange: 3, status: 200, headers: { 'content-length': '6' } },
    { type: 'head', exchange: 3, status: 200, headers: { 'content-range': '5' } },
  ],
  [
    { type: 'bytes', exchange: 3, bytes: 7, isWrong: false, sinceUs: 0, blob: 1, offset: 0 },
    { type: 'bytes', exchange: 4, bytes: 7, isWrong: false, sinceUs: 0, blob: 1, offset: 0 },
    { type: 'bytes', exchange: 3, bytes: 8, isWrong: false, sinceUs: 0, blob: 1, offset: 0 },
    { type: 'bytes', exchange: 3, bytes: 7 + 2 ** 32, isWrong: false, sinceUs: 0, blob: 1, offset: 0 },
    { type: 'bytes', exchange: 3, bytes: 7, isWrong: true, sinceUs: 0, blob: 1, offset: 0 },
    { type: 'bytes', exchange: 3, bytes: 7, isWrong: true, sinceUs: 0, blob: 2, offset: 0 },
    { type: 'bytes', exchange: 3, bytes: 7, isWrong: true, sinceUs: 0, blob: 1, offset: 7 },
  ],
  [
    { type: 'exchange-end', exchange: 3, how: 'fin' },
    { type: 'exchange-end', exchange: 3, how: 'rst' },
    { type: 'exchange-end', exchange: 5, how: 'fin' },
  ],
  [
    { type: 'pull-begin', pull: 1, node: 'n1', image: 'a:1' },
    { type: 'pull-begin', pull: 2, node: 'n1', image: 'a:1' },
    { type: 'pull-begin', pull: 1, node: 'n2', image: 'a:1' },
    { type: 'pull-begin', pull: 1, node: 'n1', image: 'a:2' },
  ],
  [
    { type: 'pull-end', pull: 1, node: 'n1', outcome: 'ok' },
    { type: 'pull-end', pull: 1, node: 'n1', outcome: 'reset' },
  ],
  [
    { type: 'mirror-pull', node: 'n1', event: pull },
    { type: 'mirror-pull', node: 'n2', event: pull },
    { type: 'mirror-pull', node: 'n1', event: { ...pull, tookUs: 71 } },
    { type: 'mirror-pull', node: 'n1', event: { ...pull, sizeBytes: undefined } },
    { type: 'mirror-pull', node: 'n1', event: { ...pull, ageUs: 1 } },
    { type: 'mirror-pull', node: 'n1', event: { ...pull, pullId: 5 } },
    { type: 'mirror-pull', node: 'n1', event: { ...pull, source: 'n3' } },
  ],
  [
    { type: 'mirror-node', node: 'n1', event: told },
    { type: 'mirror-node', node: 'n1', event: { ...told, keys: 5 } },
    { type: 'mirror-node', node: 'n1', event: { type: 'ready', ready: true, reason: '' } },
    { type: 'mirror-node', node: 'n1', event: { type: 'ready', ready: false, reason: '' } },
    { type: 'mirror-node', node: 'n1', event: { type: 'hosts-mended', paths: ['a', 'b'] } },
    { type: 'mirror-node', node: 'n1', event: { type: 'hosts-mended', paths: ['ab'] } },
  ],
  [
    { type: 'fault', kind: 'crash', target: 'n1', phase: 'begin' },
    { type: 'fault', kind: 'crash', target: 'n1', phase: 'end' },
    { type: 'fault', kind: 'pause', target: 'n1', phase: 'begin' },
  ],
];

function hashOf(step: SimStep, isWatched: boolean): string {
  const other = new Kernel();
  const trace = new Trace(other);
  if (isWatched) trace.watch(() => undefined);
  if (step.type === 'bytes') {
    const { exchange, bytes, isWrong, sinceUs, blob, offset } = step;
    trace.emitBytes(exchange, bytes, isWrong, sinceUs, blob, offset);
  } else trace.emit({ ...step });
  return other.hash.digest();
}

test('trace: the hash depends on every field of every step, and not on who watches', () => {
  const all = steps.flat();
  assert.equal(new Set(all.map((step) => hashOf(step, false))).size, all.length);
  for (const step of all) assert.equal(hashOf(step, true), hashOf(step, false), step.type);
});

test('trace: a recording holds plain values, what it was asked to keep, and of that the last', () => {
  const trace = new Trace(new Kernel());
  const whole = recordTrace(trace);
  const heads = recordTrace(trace, { keeps: ({ type }) => type === 'head' });
  const last = recordTrace(trace, { eventsMax: 4 });
  const all = steps.map(([step]) => ({ ...step }));
  for (const step of all) trace.emit(step);
  assert.equal(whole.events().length, all.length);
  assert.deepEqual(JSON.parse(JSON.stringify(whole.events())), structuredClone(whole.events()));
  assert.deepEqual(whole.events()[0], { ...asked, from: 'n1/containerd', to: 'n1/mirror', atUs: 0, ordinal: 0 });
  assert.deepEqual(
    heads.events().map(({ type }) => type),
    ['head'],
  );
  assert.deepEqual(last.events(), whole.events().slice(-4));
});

test('trace: lines are JSON, or columns for people', () => {
  const trace = new Trace(new Kernel());
  const recording = recordTrace(trace);
  for (const [step] of steps) trace.emit({ ...step });
  assert.deepEqual(
    recording.events().map((event) => JSON.parse(formatTraceJson(event)) as unknown),
    recording.events(),
  );
  assert.deepEqual(recording.events().slice(0, 4).map(formatTraceText), [
    '    0.000000       #0  n1/containerd > n1/mirror      request         x3 GET /v2/a/blobs/sha256:00?ns=b range=bytes=5-',
    '    0.000000       #0                                 head            x3 200 content-length=5',
    '    0.000000       #0                                 bytes           x3 7',
    '    0.000000       #0                                 end             x3 fin',
  ]);
  assert.match(
    recording.events().map(formatTraceText).join('\n'),
    /n1\/mirror {22}\. advertised {4}keys=4 digests=3 tags=1/,
  );
});
