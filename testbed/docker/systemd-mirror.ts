import { until } from '../netns/conditions.ts';
import { mirrorPorts } from '../netns/mirror-process.ts';
import { parseMetrics } from '../netns/prometheus-text.ts';
import type { ContainerNode } from './container-node.ts';
import type { MirrorService } from './container-testbed.ts';
import type { ProgramRoot } from './program-root.ts';

export interface SystemdMirrorOptions {
  readonly root: ProgramRoot;
  /** The registry that hosts.toml is written for, `http://172.31.0.1:5000`. */
  readonly registry: string;
  /** A name whose addresses are all nodes. */
  readonly membersName: string;
  readonly zone: string | undefined;
}

const unit = 'peili';
const logFile = '/var/log/peili.log';
/** Where the program keeps what Node compiled: the second start takes half the time. */
const cacheDirectory = '/var/cache/peili';
const startTimeoutMs = 60_000;

/** A node's mirror as a service of its systemd, with the flags that an operator would give. */
export async function installSystemdMirror(node: ContainerNode, options: SystemdMirrorOptions): Promise<MirrorService> {
  const path = `/etc/systemd/system/${unit}.service`;
  await node.exec(['sh', '-c', `mkdir -p ${cacheDirectory} && cat > ${path} && systemctl daemon-reload`], {
    input: unitText(node, options),
  });
  const registryUrl = `http://${node.address}:${mirrorPorts.registry}`;
  const metrics = async (): Promise<string> => {
    const answer = await fetch(`http://${node.address}:${mirrorPorts.metrics}/metrics`, quickly());
    return answer.text();
  };
  const isReady = async (): Promise<boolean> => {
    const answer = await fetch(`${registryUrl}/readyz`, quickly()).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  };
  const signal = async (name: string): Promise<void> => {
    await node.exec(['systemctl', 'kill', `--signal=${name}`, unit]);
  };
  const log = (): Promise<string> => node.exec(['cat', logFile]);
  return {
    registryUrl,
    metrics,
    knows: async (others) => (await isReady()) && (parseMetrics(await metrics()).value('peili_members') ?? 0) >= others,
    control: {
      log,
      kill: async () => {
        await signal('KILL');
        await until('the mirror has ended', async () => {
          const state = await node.exec(['systemctl', 'show', '--property=ActiveState', '--value', unit]);
          return state.trim() !== 'active';
        });
      },
      start: async () => {
        if (await isReady()) return;
        await node.exec(['systemctl', 'start', unit]);
        await until(`the mirror of ${node.container} is ready`, isReady, startTimeoutMs);
      },
      freeze: () => signal('STOP'),
      thaw: () => signal('CONT'),
    },
  };
}

const quickly = (): RequestInit => ({ signal: AbortSignal.timeout(5000) });

function unitText(node: ContainerNode, { root, registry, membersName, zone }: SystemdMirrorOptions): string {
  const program = root.program.join(' ');
  const target = `http://${node.address}:${mirrorPorts.registry}`;
  const flags = [
    ...['--registry-addr', `:${mirrorPorts.registry}`],
    ...['--router-addr', `${node.address}:${mirrorPorts.router}`],
    ...['--metrics-addr', `:${mirrorPorts.metrics}`],
    ...['--bootstrap-kind', 'dns', '--dns-bootstrap-domain', membersName],
    ...['--request-log', 'true'],
    ...(zone === undefined ? [] : ['--zone', zone]),
  ];
  return `[Unit]
StartLimitIntervalSec=0
[Service]
RootDirectory=/opt/peili-root
MountAPIVFS=yes
BindReadOnlyPaths=/etc/hosts /etc/resolv.conf ${root.shared.join(' ')}
BindPaths=/run/containerd /var/lib/containerd /etc/containerd /var/cache
Environment=NODE_COMPILE_CACHE=${cacheDirectory}
ExecStartPre=${program} configuration --mirrored-registries ${registry} --mirror-targets ${target}
ExecStart=${program} registry ${flags.join(' ')}
StandardOutput=append:${logFile}
StandardError=append:${logFile}
Restart=no
`;
}
