import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { defaultLimits } from '../../core/index.ts';
import { createImage, pull, startUpstream } from '../../testbed/index.ts';
import type { PullProgress, PullResult, TestImage, Upstream } from '../../testbed/index.ts';
import {
  bundle,
  lookupTimeoutMs,
  openFolder,
  runProgram,
  skipWithoutBundle,
  sources,
  startProgramNode,
} from './program-fixture.ts';
import type { ProgramNode } from './program-fixture.ts';

const mebibyte = 1024 * 1024;
const timeLimitMs = 60_000;

interface Scene {
  readonly image: TestImage;
  readonly upstream: Upstream;
  readonly nodes: readonly ProgramNode[];
  pullOn(index: number, onProgress?: (progress: PullProgress) => void): Promise<PullResult>;
  untilFound(index: number): Promise<void>;
}

/** Nodes as processes; the first `holders` have the image, then the upstream is cut. */
async function openScene(context: TestContext, count: number, holders: number, layerMiB: number): Promise<Scene> {
  const directory = await openFolder(context);
  const image = await createImage({
    name: 'registry.example/team/app:1.0',
    layers: [{ sizeBytes: layerMiB * mebibyte }],
  });
  const upstream = await startUpstream({ content: [image] });
  context.after(() => upstream.close());
  const nodes: ProgramNode[] = [];
  for (let index = 0; index < count; index += 1) {
    nodes.push(await startProgramNode(context, { directory, name: `node-${index}`, peers: nodes }));
  }
  const signal = AbortSignal.timeout(timeLimitMs);
  const node = (index: number): ProgramNode => {
    const found = nodes[index];
    if (found === undefined) throw new RangeError(`no node ${index}`);
    return found;
  };
  const scene: Scene = {
    image,
    upstream,
    nodes,
    pullOn: (index, onProgress) =>
      pull({
        reference: image.name,
        mirror: node(index).url,
        upstream: upstream.url,
        into: node(index).layout,
        signal,
        ...(onProgress === undefined ? {} : { onProgress }),
      }),
    untilFound: async (index) => {
      const base = `${node(index).url}/v2/${image.repository}`;
      const urls = [...image.blobs.keys()].map(
        (digest) => `${base}/${digest === image.root.digest ? 'manifests' : 'blobs'}/${digest}?ns=${image.registry}`,
      );
      urls.push(`${base}/manifests/${image.tag}?ns=${image.registry}`);
      for (const url of urls) {
        while ((await fetch(url, { method: 'HEAD', signal })).status !== 200) await pause(10);
      }
    },
  };
  for (let index = 0; index < holders; index += 1) {
    await scene.pullOn(index);
    // Its tag as well as its content.
    while ((await gauge(node(index), 'peili_advertised_keys')) < image.blobs.size + 1) await pause(10);
  }
  await upstream.cut();
  await scene.untilFound(count - 1);
  return scene;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test('wedged: the holder asked first accepts and never answers: a lookup and a hedge an object at most, nothing from upstream', async (context) => {
  const { image, nodes, pullOn } = await openScene(context, 3, 2, 4);
  nodes[0]?.signal('SIGSTOP');
  const result = await pullOn(2);
  nodes[0]?.signal('SIGCONT');
  assert.equal(result.bytesByHost.upstream, 0);
  assert.equal(result.digest, image.root.digest);
  // Manifest, config and layer: a hedge each at most, as long as the first has not timed out.
  const boundMs = lookupTimeoutMs + (3 * defaultLimits.hedgeDelayUs) / 1000;
  assert.ok(result.durationMs < 2 * boundMs, `${result.durationMs} ms`);
});

test('frozen: the sender stops in mid-blob: bytes flow again from the other holder within the stall bound', async (context) => {
  const { nodes, pullOn } = await openScene(context, 3, 2, 256);
  const times: number[] = [];
  const state = { frozen: false };
  const result = await pullOn(2, ({ receivedBytes, sizeBytes }) => {
    times.push(performance.now());
    if (state.frozen || sizeBytes < mebibyte || receivedBytes < sizeBytes / 8) return;
    state.frozen = true;
    void signalFeeder(nodes.slice(0, 2), 'SIGSTOP');
  });
  for (const node of nodes) node.signal('SIGCONT');
  assert.ok(state.frozen);
  assert.deepEqual([result.bytesByHost.upstream, result.resumes], [0, 0]);
  const longestGapMs = Math.max(...times.map((time, at) => time - (times[at - 1] ?? time)));
  const boundMs = (defaultLimits.stallTimeoutUs + defaultLimits.blobHeadTimeoutUs) / 1000;
  assert.ok(longestGapMs < 2 * boundMs, `${longestGapMs} ms without a byte`);
});

/** Sends the signal to whoever gives bytes of a blob now. */
async function signalFeeder(holders: readonly ProgramNode[], signal: NodeJS.Signals): Promise<void> {
  for (const holder of holders) {
    if ((await gauge(holder, 'peili_uploads_in_flight')) === 0) continue;
    holder.signal(signal);
    return;
  }
}

async function gauge({ metricsUrl }: ProgramNode, name: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const row = text.split('\n').find((line) => line.startsWith(`${name} `));
  return Number(row?.split(' ').at(-1) ?? Number.NaN);
}

test('killed: the sender is killed in mid-blob by SIGKILL: the other holder goes on', async (context) => {
  const { nodes, pullOn } = await openScene(context, 3, 2, 256);
  const state = { killed: false };
  const result = await pullOn(2, ({ receivedBytes, sizeBytes }) => {
    if (state.killed || sizeBytes < mebibyte || receivedBytes < sizeBytes / 8) return;
    state.killed = true;
    void signalFeeder(nodes.slice(0, 2), 'SIGKILL');
  });
  assert.ok(state.killed);
  assert.deepEqual([result.bytesByHost.upstream, result.resumes], [0, 0]);
});

test('drain: SIGTERM lets the body in flight end, and the program ends with 0', async (context) => {
  const { image, nodes } = await openScene(context, 2, 1, 256);
  const [, node] = nodes;
  const layer = [...image.blobs.values()].find(({ sizeBytes }) => sizeBytes > mebibyte);
  assert.ok(node !== undefined && layer !== undefined);
  const response = await fetch(`${node.url}/v2/${image.repository}/blobs/${layer.digest}?ns=${image.registry}`);
  const hash = createHash('sha256');
  let received = 0;
  for await (const chunk of response.body ?? []) {
    if (received === 0) node.signal('SIGTERM');
    received += chunk.byteLength;
    hash.update(chunk);
  }
  assert.equal(`sha256:${hash.digest('hex')}`, layer.digest);
  const { code, stderr } = await node.ended;
  assert.equal(code, 0, stderr);
});

test('usage: what is wrong is said in one sentence with its mend, exit code 2, no trace', async (context) => {
  const directory = await openFolder(context);
  const server = createServer().listen(0, '127.0.0.1');
  context.after(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const taken = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const node = await startProgramNode(context, { directory, name: 'node' });
  const store = ['--store', `oci-layout:${node.layout.directory}`];
  const wrong = [
    ['registry', '--store', 'everything'],
    ['registry', '--store', `oci-layout:${directory}/missing`],
    ['registry', ...store, '--registry-addr', taken],
    ['registry', ...store, '--registry-addr', '127.0.0.1:0', '--router-addr', taken],
    ['registry', ...store, '--registry-addr', '127.0.0.1:0', '--router-addr', '127.0.0.1:0', '--metrics-addr', taken],
    ['registry', ...store, '--registry-filters', '(['],
    ['registry', ...store, '--registry-addr', 'somewhere'],
    ['registry', ...store, '--bootstrap-kind', 'magic'],
    ['registry', ...store, '--tag-max-age', 'soon'],
    ['up', '--nodes', 'many'],
    ['up', '--image', `${directory}/missing`],
    ['up', '--image', await layoutNamed(directory, 'short')],
    ['up', '--image', await layoutNamed(directory, 'registry.example/app:absent')],
    ['registry', ...store, '--data-dir', '/dev/null/identity'],
    ['configuration'],
    ['configuration', '--mirror-targets', 'http://127.0.0.1:5000/path'],
    [
      'configuration',
      '--mirror-targets',
      'http://127.0.0.1:5000',
      '--containerd-registry-config-path',
      '/dev/null/certs.d',
    ],
    ['cleanup-wait'],
    ['verify', '--image', 'Not A Name'],
    ['sideways'],
    ['registry', '--sideways'],
  ];
  for (const args of wrong) {
    const { code, stdout, stderr } = await runProgram(args);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.equal(stdout, '');
    assert.match(stderr, /^peili: [^\n]+\n$/, args.join(' '));
    assert.doesNotMatch(stderr, / at .*:\d+/, 'no trace');
  }
});

/** An image layout whose only image has this name, and none of its content. */
async function layoutNamed(directory: string, name: string): Promise<string> {
  const layout = join(directory, name.replaceAll(/\W/g, '-'));
  const manifest = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: `sha256:${'0'.repeat(64)}`,
    size: 2,
  };
  const manifests = [{ ...manifest, annotations: { 'io.containerd.image.name': name } }];
  await mkdir(join(layout, 'blobs', 'sha256'), { recursive: true });
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  return layout;
}

test('usage: a reader that goes in the middle of the help, as `head` does, is no failure', async () => {
  const child = spawn(process.execPath, [sources, 'registry', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const failures: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => failures.push(text));
  child.stdout.destroy();
  const [code] = await once(child, 'close');
  assert.deepEqual({ code, failures }, { code: 0, failures: [] });
});

for (const command of ['up', 'demo']) {
  test(`${command}: ended while it starts, it has tidied up and shows no trace`, async (context) => {
    const directory = await openFolder(context);
    const { stdout, stderr } = await runProgram([command], { TMPDIR: directory }, undefined, 'SIGINT');
    assert.match(stdout, /Stopped\.\n$/);
    assert.equal(stderr, '');
    assert.deepEqual(await readdir(directory), []);
  });
}

test('demo: ends by itself with one JSON object as its last line', async () => {
  const { code, stdout } = await runProgram(['demo', '--json']);
  assert.equal(code, 0);
  const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  assert.deepEqual(Object.keys(result), ['nodes', 'bytesFromUpstream', 'bytesFromPeers', 'resumes', 'seconds']);
  assert.equal(result.nodes, 3);
  assert.ok(result.bytesFromPeers >= 2 * result.bytesFromUpstream);
  assert.ok(result.resumes >= 1 && result.seconds < 30);
});

test('bundle: what is published runs by itself and serves', { skip: skipWithoutBundle() }, async (context) => {
  const directory = await openFolder(context);
  const { code, stdout } = await runProgram(['version'], {}, bundle);
  assert.equal(code, 0);
  assert.match(stdout, /^peili \d+\.\d+\.\d+/);
  const node = await startProgramNode(context, { directory, name: 'node', program: bundle });
  assert.equal((await fetch(`${node.url}/readyz`)).status, 200);
  assert.match(await (await fetch(node.metricsUrl)).text(), /^peili_build_info\{/m);
  node.signal('SIGTERM');
  assert.equal((await node.ended).code, 0);
});
