import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { defaultLimits, errorCodeOf } from '../../core/index.ts';
import { serveDebugPort } from './debug-port.ts';

const timeout = 20_000;

async function open(context: TestContext) {
  const held: string[] = [];
  const watchdog = {
    hold: () => {
      held.push('held');
      return () => void held.push('released');
    },
  };
  const server = await serveDebugPort({ port: 0, limits: defaultLimits, watchdog, version: '1.2.3' });
  context.after(server.close);
  const ask = (path: string, host = '127.0.0.1'): Promise<Response> => fetch(`http://${host}:${server.port}${path}`);
  return { server, held, ask };
}

test('debug port: CPU profile, heap snapshot, event loop, report and state', { timeout }, async (context) => {
  const { ask, held } = await open(context);
  const profile = (await (await ask('/debug/profile?seconds=0.1')).json()) as { nodes: unknown[]; samples: unknown[] };
  assert.ok(profile.nodes.length > 0 && profile.samples.length > 0);
  const heap = (await (await ask('/debug/heap')).json()) as { snapshot: object; nodes: unknown[] };
  assert.ok(heap.nodes.length > 1000);
  assert.deepEqual([held[0], held.includes('released')], ['held', true], 'the watchdog looks away meanwhile');
  const loop = (await (await ask('/debug/event-loop?seconds=0.1')).json()) as {
    utilization: number;
    delayMs: { p99: number };
  };
  assert.ok(loop.utilization <= 1 && loop.delayMs.p99 >= 0);
  const report = (await (await ask('/debug/report')).json()) as Record<string, unknown>;
  assert.ok('javascriptStack' in report);
  assert.ok(!('environmentVariables' in report), 'secrets stand in the environment');
  const state = (await (await ask('/debug/state')).json()) as { version: string; memory: { rss: number } };
  assert.deepEqual([state.version, state.memory.rss > 0], ['1.2.3', true]);
  assert.match(await (await ask('/')).text(), /^\/debug\/profile$/m);
});

test('debug port: two profiles at once are refused, and the next is not', { timeout }, async (context) => {
  const { server, ask } = await open(context);
  const leave = new AbortController();
  const first = fetch(`http://127.0.0.1:${server.port}/debug/profile?seconds=60`, { signal: leave.signal }).catch(
    () => 'gone',
  );
  let second = await ask('/debug/event-loop?seconds=0.001');
  while (second.status === 200) second = await ask('/debug/event-loop?seconds=0.001');
  assert.equal(second.status, 409);
  assert.match(await second.text(), /\/debug\/profile is under way/);
  leave.abort();
  assert.equal(await first, 'gone');
  // Who went away does not profile on.
  let third = await ask('/debug/profile?seconds=0.01');
  while (third.status === 409) third = await ask('/debug/profile?seconds=0.01');
  assert.equal(third.status, 200);
});

test('debug port: on loopback alone, in both families', { timeout }, async (context) => {
  const { server } = await open(context);
  assert.deepEqual(
    new Set(server.addresses),
    new Set(server.addresses.length === 1 ? ['127.0.0.1'] : ['127.0.0.1', '::1']),
  );
  const outside = Object.values(networkInterfaces()).flatMap((list = []) => list.filter(({ internal }) => !internal));
  for (const { address, scopeid } of outside.filter(({ scopeid = 0 }) => scopeid === 0)) {
    const socket = connect(server.port, address);
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED', `${address} ${scopeid ?? ''}`);
  }
});

test(
  'debug port: a name that leads here, another page, another method and a wrong time are refused',
  { timeout },
  async (context) => {
    const { server } = await open(context);
    const status = async (
      path: string,
      headers: Record<string, string>,
      method = 'GET',
    ): Promise<number | undefined> => {
      const asking = request({ host: '127.0.0.1', port: server.port, path, method, headers });
      asking.end();
      const [answer] = (await once(asking, 'response')) as [{ statusCode?: number; resume(): void }];
      answer.resume();
      return answer.statusCode;
    };
    const state = '/debug/state';
    for (const host of ['127.0.0.1', `localhost:${server.port}`, '[::1]:1'])
      assert.equal(await status(state, { host }), 200);
    for (const host of [
      'evil.example',
      `evil.example:${server.port}`,
      '127.0.0.1.evil.example',
      'localhost.',
      '[::2]',
    ]) {
      assert.equal(await status(state, { host }), 403, host);
    }
    const host = 'localhost';
    assert.equal(await status(state, { host, origin: 'http://evil.example' }), 403);
    assert.equal(await status(state, { host, 'sec-fetch-site': 'cross-site' }), 403);
    assert.equal(await status(state, { host }, 'POST'), 405);
    assert.equal(await status('/debug/none', { host }), 404);
    assert.equal(await status('/__proto__', { host }), 404);
    for (const seconds of ['', '0', '-1', 'NaN', 'x', '1e9', 'Infinity']) {
      assert.equal(await status(`/debug/profile?seconds=${seconds}`, { host }), 400, seconds);
    }
  },
);

test('debug port: a port that is taken is said so', { timeout }, async (context) => {
  const { server } = await open(context);
  const again = serveDebugPort({ port: server.port, limits: defaultLimits, watchdog: undefined, version: '1' });
  await assert.rejects(again, (error) => errorCodeOf(error) === 'ADDRESS_IN_USE');
});
