import assert from 'node:assert/strict';
import { readdir, readlink } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { CutError, exchange, startNetnsCluster, until } from '../../testbed/index.ts';
import type { NetnsCluster, PlacedImage } from '../../testbed/index.ts';
import { openCluster } from './cluster-fixture.ts';

const smallImage = { name: 'team/app:1.0', layers: [{ sizeBytes: 4_000_000 }] };

/** What of a cluster can be seen from outside: interfaces, processes, folders. Who has ended and was not waited for (the capsule's first process waits for nobody) runs no program. */
async function traces(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const programs = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/exe`).catch(() => '')));
  const processes = pids.filter((_, at) => programs[at] !== '');
  const folders = (await readdir('/run/peili-testbed')).filter((name) => name.startsWith('cluster-'));
  return [...Object.keys(networkInterfaces()), ...processes, ...folders];
}

function layerOf({ blobs }: PlacedImage): string {
  const [largest] = [...blobs].sort(([, a], [, b]) => b.sizeBytes - a.sizeBytes);
  return largest?.[0] ?? '';
}

/** The layer, as a client on the first node would get it from the upstream. */
async function fetchLayer(cluster: NetnsCluster, image: PlacedImage, program = 'curl'): Promise<string> {
  const url = `${cluster.upstream.url}/v2/${image.repository}/blobs/${layerOf(image)}`;
  const limits = ['--connect-timeout', '1', '--max-time', '5'];
  return cluster
    .node(0)
    .exec([program, '-sS', ...limits, '-o', '/dev/null', '-w', '%{size_download} %{time_total}', url]);
}

test('testbed: a closed cluster leaves no process, no interface and no file', async () => {
  const first = await startNetnsCluster({ nodes: 1 });
  await first.close();
  const before = await traces();
  const cluster = await startNetnsCluster({ nodes: 2, family: 'ipv6', store: 'disk' });
  const image = await cluster.upstream.addImage(smallImage);
  await cluster.node(0).pull(image.name);
  await cluster.node(0).watchWire('lo');
  assert.notDeepEqual(await traces(), before);
  await cluster.close();
  assert.deepEqual(await traces(), before);
});

test('testbed: a start that fails in the middle leaves nothing', async () => {
  await (await startNetnsCluster({ nodes: 1 })).close();
  const before = await traces();
  await assert.rejects(
    startNetnsCluster({ nodes: 2, containerd: { program: '/usr/bin/false' } }),
    /without containerd/,
  );
  assert.deepEqual(await traces(), before);
});

test('testbed: a process left in a namespace is killed, and is a failure', async () => {
  await (await startNetnsCluster({ nodes: 1 })).close();
  const before = await traces();
  const cluster = await startNetnsCluster({ nodes: 1 });
  await cluster.node(0).exec(['sh', '-c', 'setsid sleep 60 > /dev/null 2>&1 &']);
  await assert.rejects(cluster.close(), /left running in a namespace: sleep/);
  await until('what was left has ended', async () => (await traces()).length === before.length);
  assert.deepEqual(await traces(), before);
});

test('testbed: a rate holds, each way, and goes', async (context) => {
  const cluster = await openCluster(context, { nodes: 1 });
  const image = await cluster.upstream.addImage(smallImage);
  const secondsToFetch = async (): Promise<number> => Number((await fetchLayer(cluster, image)).split(' ')[1]);
  const limits = [
    (rate?: number) => cluster.upstream.setRate(rate),
    (rate?: number) => cluster.node(0).setRate(rate, 'receive'),
  ];
  for (const limit of limits) {
    await limit(32_000_000);
    const capped = await secondsToFetch();
    assert.ok(capped > 0.8 && capped < 2, `4 MB at 32 Mbit/s: ${capped} s`);
    await limit(undefined);
    assert.ok((await secondsToFetch()) < 0.5);
  }
});

test('testbed: an upstream is cut in three ways, and comes back', async (context) => {
  const cluster = await openCluster(context, { nodes: 1 });
  const image = await cluster.upstream.addImage(smallImage);
  await cluster.upstream.cut('refused');
  await assert.rejects(fetchLayer(cluster, image), /Connection refused|Couldn't connect/);
  await cluster.upstream.cut('black-hole');
  await assert.rejects(fetchLayer(cluster, image), /timed? ?out/i);
  await cluster.upstream.cut('stalled');
  await assert.rejects(fetchLayer(cluster, image), /timed out .* with 0 (?:out of \d+ )?bytes|0 bytes received/);
  await cluster.upstream.restore();
  await cluster.upstream.resetCounts();
  assert.match(await fetchLayer(cluster, image), /^4000000 /);
  assert.deepEqual([...(await cluster.upstream.counts())], [[layerOf(image), { requests: 1, bytes: 4_000_000 }]]);
});

test('testbed: a cable is pulled and plugged, packets to one node vanish and those to others pass', async (context) => {
  const cluster = await openCluster(context, { nodes: 3 });
  const [first, second, third] = [cluster.node(0), cluster.node(1), cluster.node(2)];
  const reaches = (from: typeof first, to: typeof first): Promise<boolean> =>
    from.exec(['curl', '-s', '--connect-timeout', '0.5', `http://${to.address}:9/`]).then(
      () => true,
      // Refused at once is an answer.
      (error: unknown) => error instanceof Error && 'code' in error && error.code === 7,
    );
  assert.equal(await reaches(first, second), true);
  const restore = await first.dropTraffic(second);
  assert.deepEqual([await reaches(second, first), await reaches(third, first)], [false, true]);
  await restore();
  await first.unplug();
  assert.deepEqual([await reaches(second, first), await reaches(second, third)], [false, true]);
  await first.plug();
  assert.equal(await reaches(second, first), true);
});

test('testbed: the wire shows how a server ended', async (context) => {
  const cluster = await openCluster(context, { nodes: 1 });
  const [node] = cluster.nodes;
  assert.ok(node);
  const script = `require('node:net').createServer((socket) => socket.once('data', (data) => {
    if (String(data).startsWith('GET /rst')) socket.resetAndDestroy(); else socket.end('HTTP/1.1 200 OK\\r\\ncontent-length: 9\\r\\n\\r\\nshort');
  })).listen(5000, '0.0.0.0', () => console.log('up'))`;
  const server = node.spawn([process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => server.stdout?.once('data', resolve));
  const wire = await node.watchWire('eth0');
  for (const [path, kind, flag] of [
    ['/fin', 'fin', 'FIN'],
    ['/rst', 'rst', 'RST'],
  ] as const) {
    const url = new URL(`${node.registryUrl}${path}`);
    const ending = async (): Promise<void> => {
      const options = { url, method: 'GET', headers: {}, signal: context.signal, dialTimeoutMs: 1000 } as const;
      for await (const bytes of (await exchange(options)).body) assert.equal(String(Buffer.from(bytes)), 'short');
    };
    await assert.rejects(ending(), (error) => error instanceof CutError && error.kind === kind);
    await until('it is on the wire', () => wire.endsByServer().at(-1)?.flag === flag);
  }
  await wire.stop();
});
