import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { sizeOf, sourcesOf } from './asking.ts';
import { openCluster } from './cluster-fixture.ts';

/** Paths with colons between; without them the one that all nodes here have. */
const programs = (process.env['PEILI_CONTAINERDS'] ?? 'containerd').split(':');

for (const program of programs) {
  test(
    `${program}: it pulls from another version's node, and that one from it`,
    { timeout: 120_000 },
    async (context) => {
      const { stdout: version } = await promisify(execFile)(program, ['--version']);
      context.diagnostic(version.trim());
      const cluster = await openCluster(context, { nodes: 1 });
      const configVersion = / v?1\./.test(version) ? 2 : 3;
      const nodes = [cluster.node(0), await cluster.addNode({ program, configVersion })] as const;
      await cluster.startMirrors();
      for (const [at, holder] of nodes.entries()) {
        const asker = nodes[at === 0 ? 1 : 0];
        const image = await cluster.upstream.addImage({
          name: `team/app:${at}`,
          seed: at,
          layers: [{ sizeBytes: 5_000_000 }],
        });
        await holder.pull(image.name);
        await cluster.untilFound(asker, image);
        await cluster.upstream.cut('refused');
        await cluster.upstream.resetCounts();
        await asker.pull(image.name);
        assert.deepEqual(await sourcesOf(asker, image), { [holder.name]: sizeOf(image) });
        assert.equal(await cluster.upstream.bytesServed(), 0);
        await cluster.upstream.restore();
      }
    },
  );
}
