import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scenario } from '../scenario/scenario.ts';
import { simulate } from './simulate.ts';

const megabyte = 1_000_000;
const second = 1_000_000;
const app = { name: 'docker.io/library/app:1', layerBytes: [50 * megabyte] };
const sidecar = { name: 'docker.io/library/sidecar:1', layerBytes: [10 * megabyte] };

const scenario: Scenario = {
  name: 'pods',
  shows: 'when pods run',
  cluster: {
    nodes: 3,
    zones: 1,
    upBytesPerSecond: 125 * megabyte,
    downBytesPerSecond: 125 * megabyte,
    latencyUs: 200,
    zoneLatencyUs: 200,
    mirrorBytesPerSecond: 2_000 * megabyte,
    unpack: { layerUs: 10_000, bytesPerSecond: 100 * megabyte },
  },
  upstream: { bytesPerSecond: 50 * megabyte, latencyUs: 10_000 },
  images: [app, sidecar],
  workload: [],
  pods: [0, 1, 2].map((node) => ({ atUs: node * 10 * second, node, images: [sidecar.name, app.name] })),
  faults: [],
  untilUs: 600 * second,
};

test('pods: ready when the images of all containers are there, unpacked, and the containers started', async () => {
  const { makespanUs, pods, upstreamBytes, violations } = await simulate(scenario);
  assert.deepEqual(violations, []);
  const [first = 0, ...others] = pods.map(({ readyUs = 0 }) => readyUs / second);
  // Sandbox and two starts, 60 MB from upstream, 60 MB to unpack.
  assert.ok(first > 1.6 + 1.2 + 0.6 && first < 3.7, `${first} s`);
  for (const ready of others) assert.ok(ready > 1.6 + 0.48 + 0.6 && ready < 2.9, `${ready} s`);
  assert.ok(upstreamBytes < 61 * megabyte);
  assert.equal(makespanUs, 20 * second + (pods[2]?.readyUs ?? 0));
});

test('pods: what fails is tried again after its back-off', async () => {
  const faults: Scenario['faults'] = [
    {
      atUs: 0,
      target: 'upstream',
      what: { kind: 'http', fault: { kind: 'status', status: 404 } },
      untilUs: 5 * second,
    },
  ];
  const { pods } = await simulate({ ...scenario, pods: scenario.pods?.slice(0, 1) ?? [], faults });
  const [{ failures, readyUs = 0 } = { failures: [] }] = pods;
  assert.deepEqual(failures, ['no-host', 'no-host']);
  assert.ok(readyUs > 11 * second && readyUs < 21 * second, `${readyUs}`);
});
