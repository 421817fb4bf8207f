import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { execFile } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { until } from '../../testbed/index.ts';
import type { ImageOptions, NetnsCluster, NetnsNode } from '../../testbed/index.ts';
import { openCluster } from './cluster-fixture.ts';
import { peili } from './own-program.ts';

const app: ImageOptions = { name: 'team/app:1.0', layers: [{ sizeBytes: 3_000_000 }] };
/** The test process on the first cluster's bridge, where every node reaches it. */
const bridge = '10.77.0.1';

interface Recorder {
  readonly url: string;
  /** Requests so far. */
  readonly asked: string[];
}

/** A host that has nothing, or gives what the upstream has. All write into one order. */
async function recorder(context: TestContext, order: string[], name: string, tls?: TlsFiles): Promise<Recorder> {
  const asked: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    asked.push(`${request.method} ${request.url}`);
    order.push(name);
    if (tls === undefined) response.writeHead(404).end();
    else void passOn(request, response);
  };
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  await new Promise<void>((resolve) => server.listen(0, bridge, resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${tls === undefined ? 'http' : 'https'}://${bridge}:${port}`, asked };
}

async function passOn({ method = 'GET', url }: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = await fetch(`http://10.77.0.2:5000${url}`, { method });
  const kept = ['content-type', 'content-length', 'docker-content-digest'];
  response.writeHead(answer.status, Object.fromEntries([...answer.headers].filter(([field]) => kept.includes(field))));
  if (answer.body === null) response.end();
  else await pipeline(answer.body, response);
}

interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** A certificate that nobody knows. */
async function selfSigned(): Promise<TlsFiles> {
  const directory = await mkdtemp(join(tmpdir(), 'peili-ca-'));
  const [cert, key] = [join(directory, 'cert'), join(directory, 'key')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=registry'];
  const names = ['-addext', `subjectAltName=IP:${bridge}`, '-keyout', key, '-out', cert];
  await promisify(execFile)('openssl', [...request, ...names]);
  const files = { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
  await rm(directory, { recursive: true });
  return files;
}

async function command(node: NetnsNode, ...argv: readonly string[]): Promise<void> {
  const { code, err } = await peili(node, ...argv);
  assert.equal(code, 0, err);
}

function hostsOf({ upstream }: NetnsCluster, { files }: NetnsNode): string {
  return join(files.certsDirectory, upstream.registry, 'hosts.toml');
}

const own = 'http://127.0.0.1:5000';

test('configuration: containerd asks the mirrors in their order, then the hosts that were there, then the server', async (context) => {
  const cluster = await openCluster(context, { nodes: 1 });
  const node = cluster.node(0);
  const image = await cluster.upstream.addImage(app);
  const order: string[] = [];
  const [first, second, old] = await Promise.all(
    ['first', 'second', 'old'].map((name) => recorder(context, order, name)),
  );
  const existing = `server = "${cluster.upstream.url}"\n# here before\n[host."${old?.url}"]\n`;
  await writeFile(hostsOf(cluster, node), existing);
  const targets = [first?.url ?? '', second?.url ?? ''];
  const registries = ['--mirrored-registries', cluster.upstream.url];
  await command(node, 'configuration', ...registries, '--mirror-targets', ...targets, '--prepend-existing=true');
  await node.pull(image.name);
  const rounds = order.length / 3;
  assert.ok(rounds >= 4, 'tag, manifest, config and layer');
  assert.deepEqual(order, Array.from({ length: rounds }, () => ['first', 'second', 'old']).flat());
  assert.equal(await cluster.upstream.bytesServed(), cluster.sizeOf(image));
  // Mirrors that are not asked for tags: containerd leaves them out of a tag's round.
  await command(node, 'configuration', ...registries, '--mirror-targets', ...targets, '--resolve-tags=false');
  await node.removeImage(image.name);
  await node.pull(image.name);
  assert.ok(!first?.asked.slice(rounds).some((request) => request.includes('/manifests/1.0')));
});

test('configuration: prepended, the certificate of the registry and what it is called stay in force', async (context) => {
  const cluster = await openCluster(context, { nodes: 1 });
  const node = cluster.node(0);
  const image = await cluster.upstream.addImage(app);
  const tls = await selfSigned();
  const secured = await recorder(context, [], 'secured', tls);
  const text = `server = "${secured.url}"\nca = "ca.crt"\n`;
  await writeFile(hostsOf(cluster, node), text);
  await writeFile(join(node.files.certsDirectory, cluster.upstream.registry, 'ca.crt'), tls.cert);
  await command(node, 'configuration', '--mirror-targets', own, '--prepend-existing=true');
  await node.pull(image.name);
  assert.ok(secured.asked.length >= 3);
  await command(node, 'cleanup');
  assert.equal(await readFile(hostsOf(cluster, node), 'utf8'), text);
  assert.deepEqual(await readdir(node.files.certsDirectory), [cluster.upstream.registry]);
});

test('basic auth: what configuration wrote is sent by containerd and between mirrors; another secret gets nothing', async (context) => {
  const cluster = await openCluster(context, { nodes: 2 });
  for (const { files } of cluster.nodes) {
    for (const [directory, password] of [
      ['secret', 'right'],
      ['other', 'wrong'],
    ] as const) {
      const path = join(files.etcContainerd, directory);
      await mkdir(path);
      await writeFile(join(path, 'username'), 'peili');
      await writeFile(join(path, 'password'), password);
    }
  }
  const flags = ['--basic-auth-path', '/etc/containerd/secret'];
  await cluster.startMirrors({ flags, configurationFlags: flags });
  const image = await cluster.upstream.addImage(app);
  const [holder, asker] = [cluster.node(0), cluster.node(1)];
  await holder.pull(image.name);
  await until('the asker finds all of it', async () => {
    await cluster.upstream.resetCounts();
    await asker.pull(image.name);
    const isFromUpstream = (await cluster.upstream.bytesServed()) > 0;
    if (isFromUpstream) await asker.removeImage(image.name);
    return !isFromUpstream;
  });
  const { 'node-1': fromHolder = 0 } = await asker.mirror.bytesBySource();
  assert.ok(fromHolder >= cluster.sizeOf(image));
  assert.equal((await fetch(`${holder.registryUrl}/v2/`)).status, 401);
  // The keeper would put the right ones back.
  await asker.mirror.stop();
  const others = ['--basic-auth-path', '/etc/containerd/other'];
  await command(
    asker,
    'configuration',
    '--mirrored-registries',
    cluster.upstream.url,
    '--mirror-targets',
    own,
    ...others,
  );
  await asker.startMirror({
    flags: [...flags, '--containerd-registry-config-path', '/etc/elsewhere'],
    configure: false,
  });
  await asker.removeImage(image.name);
  await cluster.upstream.resetCounts();
  await asker.pull(image.name);
  assert.equal(await cluster.upstream.bytesServed(), cluster.sizeOf(image), 'the pull goes on upstream');
  assert.ok(((await asker.mirror.metrics()).value('peili_unauthorized_requests_total') ?? 0) > 0);
});

test('keeping: files removed or written over while the mirror runs are mended, and pulls go through it again', async (context) => {
  const cluster = await openCluster(context, { nodes: 2 });
  await cluster.startMirrors({ configurationFlags: ['--prepend-existing=true'] });
  const image = await cluster.upstream.addImage(app);
  const [holder, asker] = [cluster.node(0), cluster.node(1)];
  const path = hostsOf(cluster, asker);
  await holder.pull(image.name);
  await cluster.untilFound(asker, image);
  for (const name of await readdir(asker.files.certsDirectory)) {
    await rm(join(asker.files.certsDirectory, name), { recursive: true });
  }
  // Everything is gone, what was there before too: only the mirror is known.
  await until('it is mended', async () => (await readFile(path, 'utf8').catch(() => '')).includes(own));
  const k3s = `# File generated by k3s. DO NOT EDIT.\n\nserver = "${cluster.upstream.url}"\n`;
  await writeFile(path, k3s);
  await until('mirrors are in it again', async () => (await readFile(path, 'utf8')).includes(own), 30_000);
  assert.ok((await readFile(path, 'utf8')).startsWith(k3s), 'what was written is kept');
  await cluster.upstream.cut('refused');
  await asker.pull(image.name);
  assert.deepEqual(await asker.mirror.bytesBySource(), { 'node-1': cluster.sizeOf(image) });
  assert.ok(((await asker.mirror.metrics()).value('peili_hosts_mended_total') ?? 0) >= 2);
  await asker.mirror.stop();
  await command(asker, 'cleanup');
  assert.equal(await readFile(path, 'utf8'), k3s);
});
