import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createCanaryImage } from '../../core/index.ts';
import { until } from '../../testbed/index.ts';
import type { NetnsCluster, NetnsClusterOptions, NetnsNode } from '../../testbed/index.ts';
import { createDigester, ociArchitecture } from '../../transports/index.ts';
import { openCluster } from './cluster-fixture.ts';
import { configure, peili } from './own-program.ts';

/** As often as that it is proven again, so that a change shows at once. */
const often = ['--canary-interval', '300ms'];
const all: readonly string[] = ['http://127.0.0.1:5000'];

async function outcomes(node: NetnsNode): Promise<readonly string[]> {
  const lines = await node.mirror.lines();
  return lines.flatMap(({ msg, outcome }) => ((msg ?? '').startsWith('canary ') ? [String(outcome)] : []));
}

/** The next two canaries: the first may have been under way. */
async function nextOutcome(node: NetnsNode): Promise<string | undefined> {
  const before = (await outcomes(node)).length;
  await until('the next canary is told', async () => (await outcomes(node)).length >= before + 2);
  return (await outcomes(node)).at(before + 1);
}

async function nodesWith(
  context: TestContext,
  options: NetnsClusterOptions,
): Promise<{ readonly cluster: NetnsCluster; readonly first: NetnsNode }> {
  const cluster = await openCluster(context, options);
  return { cluster, first: cluster.node(0) };
}

test('canary: containerd asks the mirror that hosts.toml names; nothing is left of it, and nothing is advertised', async (context) => {
  const { first } = await nodesWith(context, { nodes: 1 });
  await configure(first);
  await first.startMirror({ configure: false, flags: often });
  assert.equal(await nextOutcome(first), 'arrived');
  const metrics = await first.mirror.metrics();
  assert.equal(metrics.value('peili_canary_arrived'), 1);
  assert.equal(metrics.value('peili_advertised_keys'), 0);
  await first.mirror.stop();
  const images = await first.cri.listImages(AbortSignal.timeout(5000));
  assert.deepEqual(
    images.flatMap(({ repoDigests }) => repoDigests).filter((name) => name.startsWith('canary.')),
    [],
  );
});

test('canary: filters, and mirrors that are asked for digests only, let it pass', async (context) => {
  const { first } = await nodesWith(context, { nodes: 1 });
  await configure(first, all, '--resolve-tags', 'false');
  const filters = ['--registry-filters', '.*', '--mirrored-registries', 'docker.io', '--blobs-only-registries', '*'];
  await first.startMirror({ configure: false, flags: [...often, ...filters] });
  assert.equal(await nextOutcome(first), 'arrived');
});

test('canary: with another config_path it does not arrive', async (context) => {
  const { first } = await nodesWith(context, { nodes: 1, containerd: { configPath: '/etc/containerd/other.d' } });
  await configure(first);
  await first.startMirror({ configure: false, flags: often });
  assert.equal(await nextOutcome(first), 'not-asked');
  assert.equal((await first.mirror.metrics()).value('peili_canary_arrived'), 0);
});

test('canary: with a list in config_path it does not arrive through the transfer service, and does through the local pull', async (context) => {
  const configPath = '/etc/containerd/certs.d:/etc/docker/certs.d';
  const { first } = await nodesWith(context, { nodes: 1, containerd: { configPath } });
  await configure(first);
  await first.startMirror({ configure: false, flags: often });
  assert.equal(await nextOutcome(first), 'not-asked');
  // A setting that the transfer service does not have makes CRI pull by itself.
  await first.containerd.restart({ configPath, maxConcurrentDownloads: 4 });
  await until('it arrives', async () => (await outcomes(first)).at(-1) === 'arrived');
});

test('canary: hosts.toml gone and back, containerd gone and back: each shows at the next one', async (context) => {
  const { first } = await nodesWith(context, { nodes: 1 });
  await configure(first);
  await first.startMirror({ configure: false, flags: often });
  assert.equal(await nextOutcome(first), 'arrived');
  assert.equal((await peili(first, 'cleanup')).code, 0);
  assert.equal(await nextOutcome(first), 'not-asked');
  await configure(first);
  assert.equal(await nextOutcome(first), 'arrived');
  await first.containerd.stop();
  assert.equal(await nextOutcome(first), 'unreachable');
  await first.containerd.start();
  await until('it arrives again', async () => (await outcomes(first)).at(-1) === 'arrived');
});

test('canary: what another mirror answered is said to be elsewhere; with the own one first it arrives', async (context) => {
  const { cluster, first } = await nodesWith(context, { nodes: 2 });
  const second = cluster.node(1);
  await second.startMirror({ configure: false, flags: ['--canary-interval', '0'] });
  await configure(first, [second.registryUrl]);
  await first.startMirror({ configure: false, flags: often });
  assert.equal(await nextOutcome(first), 'elsewhere');
  await configure(first, ['http://127.0.0.1:5000', second.registryUrl]);
  assert.equal(await nextOutcome(first), 'arrived');
  assert.deepEqual(await outcomes(second), [], 'switched off, nothing is pulled');
});

test('canary: what a killed mirror left behind is removed by the next one', async (context) => {
  const { first } = await nodesWith(context, { nodes: 1 });
  await configure(first);
  await first.startMirror({ configure: false, flags: ['--canary-interval', '0'] });
  const signal = AbortSignal.timeout(10_000);
  const digester = createDigester();
  const image = createCanaryImage(digester, ociArchitecture(process.arch), 'left0behind');
  await digester.dispose();
  await first.cri.pullImage(image.reference, signal);
  const present = async (): Promise<boolean> => (await first.cri.imageStatus(image.reference, signal)) !== undefined;
  assert.equal(await present(), true);
  await first.mirror.kill();
  await first.startMirror({ configure: false, flags: often });
  await until('it is gone', async () => !(await present()));
});
