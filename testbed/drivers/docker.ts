import process from 'node:process';
import { containerTestbed, containerTestbedNode } from '../docker/container-testbed.ts';
import { docker, makeFolder, needDocker, newTestbedName, removeFolder } from '../docker/docker-cli.ts';
import { openContainerNode } from '../docker/container-node.ts';
import type { ContainerNode } from '../docker/container-node.ts';
import { startGatewayUpstream } from '../docker/gateway-upstream.ts';
import { createProgramRoot } from '../docker/program-root.ts';
import type { ProgramRoot } from '../docker/program-root.ts';
import { sweepContainers } from '../docker/sweep.ts';
import { installSystemdMirror } from '../docker/systemd-mirror.ts';
import { until } from '../netns/conditions.ts';
import { allOf, undoAfter, undoAll } from '../netns/undo.ts';
import { lack } from './driver.ts';
import type { Testbed, TestbedOptions } from './driver.ts';

const lacks = { pods: 'there is no kubelet' } as const satisfies Testbed['lacks'];
const defaultNodeImage = 'kindest/node:v1.34.0';
const membersName = 'members.cluster';
const startTimeoutMs = 120_000;

/** Nodes as containers with systemd and containerd, of kind's node image without its Kubernetes: a Docker daemon of this machine. */
export async function startDockerTestbed(options: TestbedOptions): Promise<Testbed> {
  await needDocker();
  await sweepContainers();
  const { zones = [] } = options;
  const name = newTestbedName();
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const folder = await makeFolder(name);
    undo.push(() => removeFolder(name));
    const root = await createProgramRoot(folder);
    await docker(['network', 'create', name]);
    undo.push(() => docker(['network', 'rm', name]));
    const containers = Array.from({ length: options.nodes }, (_, at) => `${name}-node-${at + 1}`);
    undo.push(() => docker(['rm', '--force', '--volumes', ...containers]));
    await allOf(containers.map((container) => startContainer(container, name, root)));
    const inside = await allOf(containers.map((container) => openContainerNode(container, name)));
    const upstream = await startGatewayUpstream(name, options.upstream, () => inside);
    undo.push(upstream.close);
    await allOf(inside.map((node) => introduce(node, inside)));
    const nodes = await allOf(
      inside.map(async (node, at) => {
        const zone = zones[at % zones.length];
        const service = await installSystemdMirror(node, { root, registry: upstream.url, membersName, zone });
        return containerTestbedNode({ name: `node-${at + 1}`, zone }, node, service, lack('docker', lacks, 'pods'));
      }),
    );
    const placed = [];
    for (const image of options.images ?? []) placed.push(await upstream.addImage(image));
    const dispose = (): Promise<void> => undoAll(undo);
    const testbed = containerTestbed(nodes, { driver: 'docker', lacks, upstream, images: placed, dispose });
    await testbed.mend();
    return testbed;
  } catch (error) {
    return undoAfter(error, undo);
  }
}

/** As kind starts its nodes. */
async function startContainer(container: string, network: string, root: ProgramRoot): Promise<void> {
  const shared = root.shared.flatMap((folder) => ['--volume', `${folder}:${folder}:ro`]);
  await docker(
    [
      ...['run', '--detach', '--name', container, '--hostname', container, '--network', network],
      ...['--privileged', '--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
      ...['--cgroupns', 'private', '--tmpfs', '/tmp', '--tmpfs', '/run', '--volume', '/var'],
      ...['--volume', '/lib/modules:/lib/modules:ro', '--volume', `${root.directory}:/opt/peili-root:ro`, ...shared],
      process.env['KIND_NODE_IMAGE'] || defaultNodeImage,
    ],
    { timeoutMs: startTimeoutMs },
  );
}

/** Containerd runs, without a kubelet, and all nodes have one name together. */
async function introduce(node: ContainerNode, all: readonly ContainerNode[]): Promise<void> {
  const isUp = (): Promise<boolean> =>
    node.exec(['crictl', 'info']).then(
      () => true,
      () => false,
    );
  await until(`containerd runs in ${node.container}`, isUp, startTimeoutMs);
  await node.exec(['systemctl', 'stop', 'kubelet']).catch(() => undefined);
  const lines = all.map(({ address }) => `${address} ${membersName}\n`).join('');
  await node.exec(['sh', '-c', 'cat >> /etc/hosts'], { input: lines });
}
