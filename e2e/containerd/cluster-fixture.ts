import type { TestContext } from 'node:test';
import { lastWords, startNetnsCluster } from '../../testbed/index.ts';
import type { NetnsCluster, NetnsClusterOptions } from '../../testbed/index.ts';

/** A cluster that ends with the test, and whose logs are told when it failed. */
export async function openCluster(context: TestContext, options: NetnsClusterOptions): Promise<NetnsCluster> {
  const cluster = await startNetnsCluster(options);
  context.after(async () => {
    if (!context.passed) context.diagnostic(await logsOf(cluster));
    await cluster.close();
  });
  return cluster;
}

async function logsOf({ nodes }: NetnsCluster): Promise<string> {
  const files = nodes.flatMap((node) => [
    ...(node.hasStartedMirror ? [[`${node.name}, mirror`, node.mirror.logFile] as const] : []),
    [`${node.name}, containerd`, node.containerd.logFile] as const,
  ]);
  const ends = await Promise.all(files.map(async ([title, file]) => `--- ${title}\n${await lastWords(file)}`));
  return ends.join('\n');
}
