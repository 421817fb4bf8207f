import assert from 'node:assert/strict';
import { test } from 'node:test';
import { huntedScenario } from '../hunt/try-seed.ts';
import { namedScenarios } from '../scenarios/index.ts';
import { checkScenario } from './check-scenario.ts';
import { parseScenario } from './parse-scenario.ts';
import type { Scenario } from './scenario.ts';

const image = 'docker.io/library/app:1';
const cluster = {
  nodes: 3,
  zones: 1,
  upBytesPerSecond: 1,
  downBytesPerSecond: Infinity,
  latencyUs: 0,
  zoneLatencyUs: 0,
  mirrorBytesPerSecond: 1,
};
const scenario: Scenario = {
  name: '',
  shows: '',
  cluster,
  upstream: { bytesPerSecond: 1, latencyUs: 0 },
  images: [{ name: image, layerBytes: [1, 2] }],
  workload: [{ atUs: 0, node: 0, image }],
  pods: [{ atUs: 0, node: 0, images: [image] }],
  asks: [{ atUs: 0, node: 0, image, what: 1 }],
  faults: [{ atUs: 0, target: 0, what: { kind: 'crash' } }],
  untilUs: 1,
};
const pull = { atUs: 0, node: 0, image };

for (const [sentence, change] of [
  ['cluster: nothing is no cluster', { cluster: undefined }],
  ['cluster.nodes: 0 is no whole number from 1', { cluster: { ...cluster, nodes: 0 } }],
  ['cluster.upBytesPerSecond: 0 is no rate: bytes a second, above 0', { cluster: { ...cluster, upBytesPerSecond: 0 } }],
  ['cluster.latencyUs: -1 is no time: microseconds, from 0', { cluster: { ...cluster, latencyUs: -1 } }],
  ['cluster.uneven[0].node: 3 is no node: 0 to 2', { cluster: { ...cluster, uneven: [{ node: 3 }] } }],
  ['upstream.bytesPerSecond: nothing is no rate: bytes a second, above 0', { upstream: { latencyUs: 1 } }],
  ['images[0].layerBytes: [1.5] is no list of sizes in bytes', { images: [{ name: image, layerBytes: [1.5] }] }],
  ['untilUs: 0 is no time: microseconds, above 0', { untilUs: 0 }],
  ['workload: 7 is no list', { workload: 7 }],
  ['workload[0]: 7 has no fields', { workload: [7] }],
  ['workload[0].node: 3 is no node: 0 to 2', { workload: [{ ...pull, node: 3 }] }],
  ['workload[0].image: "x" is not among images', { workload: [{ ...pull, image: 'x' }] }],
  ['workload[1].after: 2 is no pull: 0 to 1', { workload: [pull, { ...pull, after: 2 }] }],
  ['pods[0].images[1]: "x" is not among images', { pods: [{ atUs: 0, node: 0, images: [image, 'x'] }] }],
  [
    'asks[0].what: 2 is not "tag", "manifest", "config" or one of 2 layers',
    { asks: [{ atUs: 0, node: 0, image, what: 2 }] },
  ],
  [
    'faults[0].target: 5 is no node: 0 to 2, or "upstream"',
    { faults: [{ atUs: 0, target: 5, what: { kind: 'crash' } }] },
  ],
] as const) {
  test(`scenario values: ${sentence}`, () => {
    assert.equal(checkScenario({ ...scenario, ...change }), sentence);
  });
}

test('scenario values: what is drawn, read or hunted is in order', () => {
  assert.equal(checkScenario(scenario), undefined);
  for (const { text } of namedScenarios) assert.equal(checkScenario(parseScenario(text).scenario), undefined);
  for (let seed = 0; seed < 200; seed += 1) assert.equal(checkScenario(huntedScenario(seed)), undefined);
});
