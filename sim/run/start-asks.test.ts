import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AskSpec, Scenario } from '../scenario/scenario.ts';
import { simulate } from './simulate.ts';

const megabyte = 1_000_000;
const sizeBytes = 20 * megabyte;
const image = { name: 'docker.io/library/app:1', layerBytes: [sizeBytes] };

const scenario = (asks: readonly AskSpec[], changes: Partial<Scenario> = {}): Scenario => ({
  name: 'a curl',
  shows: 'what a mirror answers to a client that is no containerd',
  cluster: {
    nodes: 2,
    zones: 1,
    upBytesPerSecond: 100 * megabyte,
    downBytesPerSecond: 100 * megabyte,
    latencyUs: 200,
    zoneLatencyUs: 200,
    mirrorBytesPerSecond: 2_000 * megabyte,
  },
  upstream: { bytesPerSecond: 100 * megabyte, latencyUs: 5_000 },
  images: [image],
  workload: [{ atUs: 1_000_000, node: 1, image: image.name }],
  asks,
  faults: [],
  untilUs: 60_000_000,
  ...changes,
});

/** What node 0, which has nothing, answers, and how many bytes of it came. */
async function answersOf(asks: readonly AskSpec[], changes?: Partial<Scenario>): Promise<string[]> {
  const answers = new Map<number, { head: string; bytes: number }>();
  const { violations } = await simulate(scenario(asks, changes), {
    drain: 'tick',
    onWorld: ({ trace }) => {
      trace.watch((event) => {
        const isClient = event.type === 'request' && event.from.role === 'containerd' && event.from.host.name === 'n0';
        if (isClient) answers.set(event.exchange, { head: '', bytes: 0 });
        const answer = 'exchange' in event ? answers.get(event.exchange) : undefined;
        if (answer === undefined) return;
        if (event.type === 'head') answer.head = `${event.status} ${event.headers['content-range'] ?? ''}`.trim();
        if (event.type === 'bytes') answer.bytes += event.bytes;
      });
    },
  });
  assert.deepEqual(violations, []);
  return [...answers.values()].map(({ head, bytes }) => `${head}, ${bytes} bytes`);
}

const atUs = 5_000_000;
const ask = (what: Partial<AskSpec>): AskSpec => ({ atUs, node: 0, image: image.name, what: 0, ...what });

test('asks: ranges are answered through a peer as RFC 9110 has them', async () => {
  const ranges = ['bytes=-100', 'bytes=5-9', `bytes=${sizeBytes}-`, `bytes=${sizeBytes - 1}-`];
  assert.deepEqual(await answersOf(ranges.map((range, index) => ask({ range, atUs: atUs + index * 100_000 }))), [
    `206 bytes ${sizeBytes - 100}-${sizeBytes - 1}/${sizeBytes}, 100 bytes`,
    `206 bytes 5-9/${sizeBytes}, 5 bytes`,
    `416 bytes */${sizeBytes}, 234 bytes`,
    `206 bytes ${sizeBytes - 1}-${sizeBytes - 1}/${sizeBytes}, 1 bytes`,
  ]);
});

test('asks: a client that hangs up after some bytes, or before the head, gets no more', async () => {
  const [byBytes = '', byTime = ''] = await answersOf([ask({ bytesMax: 1 }), ask({ atUs: atUs + 1, patienceUs: 100 })]);
  const [, bytes] = /^200, ([0-9]+) bytes$/.exec(byBytes) ?? [];
  assert.ok(Number(bytes) > 0 && Number(bytes) < sizeBytes, byBytes);
  assert.equal(byTime, ', 0 bytes');
});

test('asks: a mirror is configured as the scenario says', async () => {
  const answers = await answersOf([ask({}), ask({ what: 'tag', method: 'HEAD' })], {
    mirror: { registryFilters: ['library/'] },
  });
  assert.deepEqual(
    answers.map((answer) => answer.slice(0, 3)),
    ['404', '404'],
  );
});
