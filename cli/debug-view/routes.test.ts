import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { PeiliError, defaultLimits, limitsWith } from '../../core/index.ts';
import { servePages } from '../page-server.ts';
import { createDebugView } from './debug-view.ts';
import { createDebugRoutes } from './routes.ts';
import type { MeasureCall } from './routes.ts';
import type { MeasurementView } from './snapshot.ts';

const measured: MeasurementView = {
  reference: 'r.example/a:1',
  atMs: 1,
  ownContent: true,
  tookMs: 1.23456789,
  lookup: { outcome: 'nobody', tookMs: 1, holders: [] },
  bytes: 0,
  objects: [],
  stopped: null,
};
const timeout = 10_000;

async function open(context: TestContext, measure: MeasureCall = () => Promise.resolve(measured)) {
  const time = { us: 0 };
  const limits = limitsWith({ measureIntervalUs: 3_000_000 });
  const view = createDebugView(
    { nowUs: () => time.us, wallUs: () => time.us },
    { limits: defaultLimits, version: '1' },
  );
  const late: { measure: MeasureCall | undefined } = { measure };
  const route = createDebugRoutes({ view, nowUs: () => time.us, limits, measure: () => late.measure });
  const server = await servePages({ host: '127.0.0.1', port: 0 }, {}, { '/debug/web/': route });
  context.after(server.close);
  const url = `http://127.0.0.1:${server.port}`;
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}${path}`, { redirect: 'manual', ...init });
  const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    ask('/debug/web/measure', { method: 'POST', body, headers: { accept: 'application/json', ...headers } });
  return { ask, post, time, late, url };
}

test(
  'debug routes: the page, its parts and JSON, under a policy that lets nothing in',
  { timeout },
  async (context) => {
    const { ask } = await open(context);
    const types = { '': 'text/html', api: 'application/json', 'style.css': 'text/css', 'script.js': 'text/javascript' };
    for (const [path, type] of Object.entries(types)) {
      const answer = await ask(`/debug/web/${path}`);
      assert.equal(answer.status, 200);
      assert.ok(answer.headers.get('content-type')?.startsWith(type));
      assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/);
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      await answer.bytes();
    }
    const head = await ask('/debug/web/', { method: 'HEAD' });
    assert.ok(Number(head.headers.get('content-length')) > 1000);
    const moved = await ask('/debug/web');
    assert.deepEqual([moved.status, moved.headers.get('location')], [308, '/debug/web/']);
    for (const path of ['toString', '__proto__', 'api/', '../metrics%00']) {
      assert.equal((await ask(`/debug/web/${path}`)).status, 404, path);
    }
    assert.equal((await ask('/debug/web/', { method: 'POST' })).status, 405);
    assert.equal((await ask('/debug/web/measure')).headers.get('allow'), 'POST');
  },
);

test('debug routes: a measurement is given as JSON, and by a form shown on the page', { timeout }, async (context) => {
  const asked: unknown[] = [];
  const { ask, post, time } = await open(context, ({ reference, ownContent }) => {
    asked.push([reference, ownContent]);
    return Promise.resolve(measured);
  });
  const answer = await post('reference=+r.example/a:1+');
  assert.equal(((await answer.json()) as MeasurementView).tookMs, 1.235, 'in whole microseconds');
  time.us += 3_000_000;
  const moved = await post('reference=r.example%2Fa%3A1&peers=only', { accept: 'text/html' });
  assert.deepEqual([moved.status, moved.headers.get('location')], [303, '/debug/web/#measure']);
  assert.match(await (await ask('/debug/web/')).text(), /r\.example\/a:1/);
  assert.deepEqual(asked, [
    ['r.example/a:1', true],
    ['r.example/a:1', false],
  ]);
});

test('debug routes: one measurement at a time, and none soon after another', { timeout }, async (context) => {
  const running = Promise.withResolvers<MeasurementView>();
  const begun = Promise.withResolvers<void>();
  const { post, time, late } = await open(context, () => {
    begun.resolve();
    return running.promise;
  });
  const first = post('reference=a');
  await begun.promise;
  const second = await post('reference=a');
  assert.deepEqual([second.status, second.headers.get('retry-after')], [429, '3']);
  running.resolve(measured);
  assert.equal((await first).status, 200);
  time.us += 1_000_000;
  const third = await post('reference=a');
  assert.deepEqual([third.status, third.headers.get('retry-after')], [429, '2']);
  time.us += 2_000_000;
  assert.equal((await post('reference=a')).status, 200);
  time.us += 3_000_000;
  late.measure = undefined;
  assert.equal((await post('reference=a')).status, 503);
});

test(
  'debug routes: what another page sends, what is too long and what is no reference is refused',
  { timeout },
  async (context) => {
    const calls = { count: 0 };
    const { post, url } = await open(context, () => {
      calls.count += 1;
      return Promise.reject(new PeiliError('OPTION_INVALID', 'give a full reference'));
    });
    assert.equal((await post('reference=a', { origin: 'http://evil.example' })).status, 403);
    assert.equal((await post('reference=a', { 'sec-fetch-site': 'cross-site' })).status, 403);
    assert.equal((await post(`reference=${'a'.repeat(5000)}`)).status, 413);
    assert.equal(calls.count, 0, 'nothing was measured');
    const refused = await post('reference=a', { origin: url, accept: 'text/html' });
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /Not measured: give a full reference\./);
  },
);

test('debug routes: who goes away ends the measurement', { timeout }, async (context) => {
  const aborted = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const { ask } = await open(context, ({ signal }) => {
    signal.addEventListener('abort', () => {
      aborted.resolve();
    });
    begun.resolve();
    return aborted.promise.then(() => measured);
  });
  const leave = new AbortController();
  const gone = ask('/debug/web/measure', { method: 'POST', body: 'reference=a', signal: leave.signal }).catch(
    () => 'gone',
  );
  await begun.promise;
  leave.abort();
  assert.equal(await gone, 'gone');
  await aborted.promise;
});
