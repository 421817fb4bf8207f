import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createImage } from '../../testbed/index.ts';
import { largestOf, openFixture } from '../loopback/cluster-fixture.ts';

const run = promisify(execFile);
const maxBuffer = 64 * 1024 * 1024;

/** In CI a client that is missing fails the run before it begins. */
function skipWithout(program: string): string | false {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return `${program} is not installed`;
  }
}

test(
  'skopeo: copies an image by digest through the mirror of a node that has nothing',
  { skip: skipWithout('skopeo') },
  async (context) => {
    const { cluster, events, image, node, pullOn, untilAdvertised, untilFound, upstream } = await openFixture(context, {
      nodes: 2,
      image: await createImage({
        name: 'registry.example/team/app:1.0',
        layers: [{ sizeBytes: 20_000_000 }, { sizeBytes: 300_000 }],
        platforms: ['linux/amd64', 'linux/arm64'],
      }),
    });
    await pullOn(0);
    await upstream.cut();
    await untilAdvertised(0, 6); // Of two platforms one: index, manifest, config, two layers, and the tag.
    await untilFound(1, image.root.digest);
    const target = join(cluster.directory, 'copied');
    // The manifest of one platform: a multi-platform index is not whole on a node that pulled one of them.
    const index = JSON.parse(
      await (await fetch(`${node(1).url}/v2/${image.repository}/manifests/${image.root.digest}`)).text(),
    );
    const digest = index.manifests[0].digest;
    await run('skopeo', [
      'copy',
      '--src-tls-verify=false',
      `docker://${node(1).url.slice(7)}/${image.repository}@${digest}`,
      `dir:${target}`,
    ]);
    const manifest = JSON.parse(await readFile(join(target, 'manifest.json'), 'utf8'));
    for (const layer of [manifest.config, ...manifest.layers]) {
      const bytes = await readFile(join(target, layer.digest.slice('sha256:'.length)));
      assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, layer.digest);
    }
    assert.ok(!(events[1] ?? []).some(({ type }) => type === 'liar' || type === 'suspect'), 'nobody is accused');
  },
);

test(
  'curl: a range through the mirror is exact, and a download that is broken off is continued',
  { skip: skipWithout('curl') },
  async (context) => {
    const { cluster, image, node, pullOn, untilFound } = await openFixture(context, { nodes: 2 });
    await pullOn(0);
    await untilFound(1);
    const { digest, sizeBytes } = largestOf(image);
    const url = `${node(1).url}/v2/${image.repository}/blobs/${digest}?ns=${image.registry}`;
    const whole = (await run('curl', ['-sf', url], { encoding: 'buffer', maxBuffer })).stdout;
    assert.equal(`sha256:${createHash('sha256').update(whole).digest('hex')}`, digest);
    for (const range of ['0-0', '1000-70000', `${sizeBytes - 10}-`, '-5', '5000000-15000000']) {
      const { stdout } = await run('curl', ['-sf', '-r', range, url], { encoding: 'buffer', maxBuffer });
      const [first = '', last = ''] = range.split('-');
      const start = first === '' ? sizeBytes - Number(last) : Number(first);
      const end = first === '' || last === '' ? sizeBytes : Number(last) + 1;
      assert.ok(stdout.equals(whole.subarray(start, end)), range);
    }
    const file = join(cluster.directory, 'part');
    await run('curl', ['-sf', '-r', '0-999999', '-o', file, url]);
    await run('curl', ['-sf', '-C', '-', '-o', file, url]);
    assert.ok((await readFile(file)).equals(whole), 'continued at its byte');
  },
);
