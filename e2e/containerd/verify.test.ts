import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { ContainerdOptions, NetnsCluster, NetnsNode } from '../../testbed/index.ts';
import { openCluster } from './cluster-fixture.ts';
import { configure, peili } from './own-program.ts';

interface CheckText {
  readonly name: string;
  readonly status: string;
  readonly seen: string;
  readonly mend?: string;
  readonly lines?: readonly string[];
}

interface Verdict {
  readonly code: number | null;
  /** Names of checks by status. */
  readonly wrong: readonly string[];
  readonly unknown: readonly string[];
  readonly check: (name: string) => CheckText;
}

async function verify(node: NetnsNode, ...flags: readonly string[]): Promise<Verdict> {
  const { code, err, out } = await peili(node, 'verify', '--json', ...flags);
  assert.equal(err, '');
  const { ok, checks } = JSON.parse(out);
  assert.equal(ok, code === 0);
  const named = (status: string) => checks.flatMap((check: CheckText) => (check.status === status ? [check.name] : []));
  return {
    code,
    wrong: named('wrong'),
    unknown: named('unknown'),
    check: (name) => checks.find((check: CheckText) => check.name === name) ?? assert.fail(name),
  };
}

const certs = '/etc/containerd/certs.d';

/** Two nodes with mirrors that containerd knows of. */
async function openNodes(context: TestContext, containerd: ContainerdOptions = {}): Promise<NetnsCluster> {
  const cluster = await openCluster(context, { nodes: 2, containerd });
  await Promise.all(cluster.nodes.map((node) => configure(node, ['http://127.0.0.1:5000'], '--prepend-existing')));
  await cluster.startMirrors({ configure: false });
  return cluster;
}

// One after the other on the same nodes: each puts right what it has broken.
test('verify: a node that is well, and what is named when something breaks', async (context) => {
  const cluster = await openNodes(context);
  const [first, second] = [cluster.node(0), cluster.node(1)];

  await context.test('well: nothing is wrong or unknown, and an image is told by object and source', async () => {
    const layers = [{ sizeBytes: 3_000_000 }, { sizeBytes: 2000 }];
    const image = await cluster.upstream.addImage({ name: 'team/app:1.0', layers });
    await second.pull(image.name);
    await cluster.untilFound(first, image);
    const { check, code, unknown, wrong } = await verify(first, '--image', image.name);
    assert.deepEqual([code, wrong, unknown], [0, [], []], JSON.stringify(wrong.map(check)));
    assert.match(check('containerd').seen, /^containerd 2\.1\./);
    assert.match(check('canary').seen, /^containerd asked this mirror and has the image/);
    assert.match(check('layers').seen, /and the canary's layer stayed$/);
    assert.match(check('hosts').seen, /_default/);
    const lines = check('image').lines ?? [];
    assert.equal(lines.filter((line) => line.startsWith('layer')).length, 2);
    for (const line of lines) assert.ok(line.includes(second.mirror.peerId ?? 'nobody'), line);
    const images = await first.cri.listImages(AbortSignal.timeout(5000));
    assert.deepEqual(images, [], 'containerd has neither the image nor the canary');
  });

  await context.test('an image that nobody has is said to be so', async () => {
    const { check, code, wrong } = await verify(
      first,
      '--canary=false',
      '--image',
      'registry.example:5000/team/absent:1',
    );
    assert.deepEqual([code, wrong], [1, ['image']]);
    assert.match(check('image').seen, /MANIFEST_UNKNOWN/);
  });

  await context.test('broken: hosts.toml names another mirror first, or cannot be read, or is missing', async () => {
    // Apart from what the mirror keeps as it was configured.
    const directory = '/etc/containerd/others.d';
    const folder = join(first.files.etcContainerd, 'others.d', '_default');
    await mkdir(folder, { recursive: true });
    const write = (text: string): Promise<void> => writeFile(join(folder, 'hosts.toml'), text);
    await write("[host.'http://192.0.2.1:5000']\n[host.'http://127.0.0.1:5000']\n");
    const look = (): Promise<Verdict> =>
      verify(first, '--canary=false', '--containerd-registry-config-path', directory);
    const later = await look();
    assert.deepEqual([later.code, later.wrong], [1, ['config-path', 'hosts']]);
    assert.match(later.check('hosts').seen, /not the first host in _default\/hosts\.toml/);
    await write('host = [');
    assert.match((await look()).check('hosts').seen, /cannot read _default\/hosts\.toml/);
    await write("[host.'http://192.0.2.1:5000']\n");
    assert.match((await look()).check('hosts').seen, /names this mirror$/);

    // For good: then nothing comes by way of it either.
    assert.equal((await peili(first, 'cleanup')).code, 0);
    const missing = await verify(first);
    assert.deepEqual([missing.code, missing.wrong], [1, ['hosts', 'canary']]);
    assert.match(missing.check('hosts').mend ?? '', /peili configuration/);
    await configure(first);
    assert.equal((await verify(first)).code, 0);
  });

  await context.test('broken: containerd is not there', async () => {
    await first.containerd.stop();
    const { check, code, wrong } = await verify(first);
    assert.deepEqual([code, wrong], [1, ['containerd']]);
    assert.match(check('containerd').seen, /^nothing answers at \/run\/containerd\/containerd\.sock \(connect E/);
    assert.match(check('containerd').mend ?? '', /--containerd-sock/);
    await first.containerd.start();
  });

  await context.test('broken: nobody else is there, and then the mirror itself is not', async () => {
    await second.mirror.kill();
    await first.mirror.stop();
    const stopped = await verify(first);
    assert.deepEqual([stopped.code, stopped.wrong], [1, ['mirror']]);
    assert.match(stopped.check('mirror').mend ?? '', /--registry-addr/);
    await first.startMirror({ configure: false, untilReady: false });
    const alone = await verify(first, '--canary=false');
    assert.ok(alone.code === 1 && alone.wrong.includes('members'), alone.wrong.join());
    assert.match(alone.check('members').seen, /^0 other members met/);
    assert.equal((await verify(first, '--canary=false', '--members-min', '0')).check('members').status, 'ok');
  });
});

test('verify: a containerd that is configured otherwise than a mirror needs it', async (context) => {
  const cluster = await openNodes(context, { configPath: '' });
  const first = cluster.node(0);
  const broken = ['config-path', 'canary'];

  await context.test(
    'broken: config_path is not set; a person sees a line for each check, and what to do below it',
    async () => {
      const { code, out } = await peili(first, 'verify');
      assert.equal(code, 1);
      assert.match(out, /^✔ containerd {3}containerd 2\.1/m);
      assert.match(out, /^✘ config-path {2}config_path is not set: .*\n {15}-> set config_path/m);
      assert.match(out, /^✔ content {6}containerd has no blobs yet/m);
      assert.match(out, /^Wrong: config-path, canary; \d+ checks are well\.\n$/m);
      assert.equal((await peili(first, 'verify', '--registry-addr', 'nowhere')).code, 2);
    },
  );

  await context.test('broken: config_path is another one', async () => {
    await first.containerd.restart({ configPath: '/etc/containerd/other.d' });
    const { check, code, wrong } = await verify(first);
    assert.deepEqual([code, wrong], [1, broken]);
    assert.match(check('config-path').seen, /\/etc\/containerd\/other\.d/);
    assert.match(check('config-path').mend ?? '', /config_path = '\/etc\/containerd\/certs\.d'.*restart containerd/);
  });

  await context.test('broken: config_path is a list, which the transfer service takes for one directory', async () => {
    await first.containerd.restart({ configPath: `${certs}:/etc/docker/certs.d` });
    const { check, code, wrong } = await verify(first);
    assert.deepEqual([code, wrong], [1, broken]);
    assert.match(check('config-path').seen, /one directory/);
    await first.containerd.restart({ configPath: `${certs}:/etc/docker/certs.d`, maxConcurrentDownloads: 4 });
    assert.equal((await verify(first)).check('config-path').status, 'ok', 'the local pull knows lists');
  });

  await context.test('broken: layers are discarded, which the text says, and what containerd does', async () => {
    await first.containerd.restart({ configPath: certs, discardUnpackedLayers: true });
    const byText = await verify(first, '--canary=false');
    assert.deepEqual([byText.code, byText.wrong], [1, ['layers']]);
    assert.match(byText.check('layers').seen, /discard_unpacked_layers is true/);
    const byBehaviour = await verify(first, '--containerd-config-path', '/absent/config.toml');
    assert.deepEqual([byBehaviour.code, byBehaviour.wrong, byBehaviour.unknown], [1, ['layers'], []]);
    assert.match(byBehaviour.check('layers').seen, /let go of the canary's/);
    assert.match(byBehaviour.check('layers').mend ?? '', /discard_unpacked_layers = false/);
  });
});
