import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PeiliError } from '../core/index.ts';
import { createImage, writeOciLayout } from '../testbed/index.ts';
import { servePages } from './page-server.ts';
import { parseRegistryOptions } from './registry-options.ts';
import { registry } from './registry.ts';

const directory = await mkdtemp(join(tmpdir(), 'registry-'));
after(() => rm(directory, { recursive: true }));
const layout = join(directory, 'layout');
const image = await createImage({ name: 'docker.io/library/demo:1.0', layers: [{ sizeBytes: 2000 }] });
await writeOciLayout([image], layout);

const loopback = (changes: Readonly<Record<string, string>> = {}): string[] => {
  const flags = {
    store: `oci-layout:${layout}`,
    'registry-addr': '127.0.0.1:0',
    'router-addr': '127.0.0.1:0',
    'metrics-addr': '127.0.0.1:0',
  };
  return Object.entries({ ...flags, ...changes }).map(([name, value]) => `--${name}=${value}`);
};

/** Runs a node; its log by message. */
function start(argv: readonly string[]) {
  const stop = new AbortController();
  const waiting = new Map<string, PromiseWithResolvers<Record<string, unknown>>>();
  const said = (msg: string): PromiseWithResolvers<Record<string, unknown>> => {
    const found = waiting.get(msg) ?? Promise.withResolvers<Record<string, unknown>>();
    waiting.set(msg, found);
    return found;
  };
  const log = {
    write: (text: string) => {
      const line = JSON.parse(text) as Record<string, unknown>;
      said(String(line['msg'])).resolve(line);
    },
  };
  const done = registry(parseRegistryOptions(argv, {}), { signal: stop.signal, log, version: '1.2.3' });
  return {
    done,
    stop: () => stop.abort(),
    line: (msg: string) => Promise.race([said(msg).promise, done.then(() => assert.fail('it ended'))]),
  };
}

const timeout = 10_000;

test('registry: serves, counts, logs, says how to reach it, and ends with 0 when told to', { timeout }, async () => {
  const free = await servePages({ host: '127.0.0.1', port: 0 }, {});
  await free.close();
  const node = start([...loopback({ 'http-bootstrap-addr': `127.0.0.1:${free.port}` }), '--request-log']);
  const { peerId, registry: addresses, metricsPort } = await node.line('running');
  assert.equal((await node.line('ready'))['level'], 'INFO', 'alone by choice is ready');
  const [address] = addresses as string[];
  const answer = await fetch(`http://${address}/v2/library/demo/manifests/1.0?ns=docker.io`);
  assert.equal(answer.headers.get('docker-content-digest'), image.root.digest);
  await answer.bytes();
  assert.deepEqual((await node.line('pull'))['sources'], { local: image.root.size });
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  assert.match(metrics, new RegExp(`^peili_bytes_total\\{source="local",asker="client"\\} ${image.root.size}$`, 'm'));
  assert.match(metrics, /^peili_ready 1$/m);
  const document = (await (await fetch(`http://127.0.0.1:${free.port}/id`)).json()) as { ID: string };
  assert.equal(document.ID, peerId);
  node.stop();
  assert.equal(await node.done, 0);
  await assert.rejects(fetch(`http://127.0.0.1:${metricsPort}/metrics`), 'nothing listens any more');
});

test('registry: what its mode file says holds from the start, and is told everywhere', { timeout }, async () => {
  const modeFile = join(directory, 'mode');
  await writeFile(modeFile, 'off\n');
  const node = start(loopback({ 'mode-path': modeFile }));
  const { registry: addresses, metricsPort } = await node.line('running');
  const told = await node.line('this mirror is switched off: containerd and other mirrors are sent elsewhere');
  assert.equal(told['level'], 'WARN');
  const [address] = addresses as string[];
  const answer = await fetch(`http://${address}/v2/library/demo/manifests/1.0?ns=docker.io`);
  assert.equal(answer.status, 404);
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  assert.match(metrics, /^peili_mode\{mode="off"\} 1$/m);
  assert.match(metrics, /^peili_mode\{mode="on"\} 0$/m);
  const page = (await (await fetch(`http://127.0.0.1:${metricsPort}/debug/web/api`)).json()) as Record<string, unknown>;
  assert.equal(page['mode'], 'off');
  assert.equal((page['verdict'] as { headline: string }).headline, 'Switched off');
  node.stop();
  assert.equal(await node.done, 0);
});

test(
  'registry: what it cannot run with is named with its flag, and nothing is left behind',
  { timeout },
  async (context) => {
    const taken = await servePages({ host: '127.0.0.1', port: 0 }, {});
    context.after(taken.close);
    const inUse = `127.0.0.1:${taken.port}`;
    const identity = join(directory, 'identity');
    await mkdir(identity);
    await writeFile(join(identity, 'private.key'), 'not a key');
    const cases: readonly [Readonly<Record<string, string>>, RegExp][] = [
      [{ 'registry-addr': inUse }, /^--registry-addr "127\.0\.0\.1:\d+": something else listens/],
      [
        { 'router-addr': inUse },
        /^--router-addr "127\.0\.0\.1:\d+": something else listens on 127\.0\.0\.1, port \d+ already: choose another/,
      ],
      [
        { 'metrics-addr': inUse },
        /^--metrics-addr "127\.0\.0\.1:\d+": something else listens on 127\.0\.0\.1, port \d+ already: choose another/,
      ],
      [{ 'http-bootstrap-addr': inUse }, /^--http-bootstrap-addr "127\.0\.0\.1:\d+": something else listens on/],
      [
        { 'metrics-addr': '192.0.2.1:9090' },
        /^--metrics-addr "192\.0\.2\.1:9090": cannot listen on 192\.0\.2\.1, port 9090: use an address of/,
      ],
      [{ store: `oci-layout:${directory}/none` }, /^--store "oci-layout:.*\/none": /],
      [{ 'data-dir': identity }, /^--data-dir ".*identity": .*private\.key is no PEM/],
    ];
    for (const [changes, says] of cases) {
      await assert.rejects(start(loopback(changes)).done, (error) => {
        assert.ok(error instanceof PeiliError);
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    }
  },
);

test('pages: GET and HEAD of what is there, 404 with what there is, 405 for the rest', async (context) => {
  const server = await servePages(
    { host: '127.0.0.1', port: 0 },
    { '/a': { contentType: 'text/x', text: () => 'täxt' } },
  );
  context.after(server.close);
  const url = `http://127.0.0.1:${server.port}`;
  const got = await fetch(`${url}/a?x=1`);
  assert.deepEqual([got.status, got.headers.get('content-type'), await got.text()], [200, 'text/x', 'täxt']);
  const head = await fetch(`${url}/a`, { method: 'HEAD' });
  assert.deepEqual([head.headers.get('content-length'), await head.text()], ['5', '']);
  assert.equal(await (await fetch(`${url}/b`)).text(), 'only here: /a\n');
  assert.equal((await fetch(`${url}/a`, { method: 'POST', body: 'x' })).status, 405);
});
