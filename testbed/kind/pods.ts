import type { PodOptions, RunningPod } from '../drivers/driver.ts';
import type { ContainerNode } from '../docker/container-node.ts';
import { until } from '../netns/conditions.ts';
import type { KindCluster } from './kind-cluster.ts';

const runLimitMs = 90_000;
const namespace = 'default';

interface PodStatus {
  readonly status: {
    readonly phase: string;
    readonly containerStatuses?: readonly {
      readonly containerID?: string;
      readonly state: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
    }[];
  };
}

/** Runs a pod of one container on this node, as a kubelet does: pulled, its volumes mounted, started. */
export async function runPod(
  { kubectl }: Pick<KindCluster, 'kubectl'>,
  node: ContainerNode,
  options: PodOptions,
): Promise<RunningPod> {
  const { name, timeoutMs = runLimitMs } = options;
  const remove = async (): Promise<void> => {
    await kubectl(['-n', namespace, 'delete', 'pod', name, '--ignore-not-found', '--grace-period=0', '--force']);
  };
  const startMs = performance.now();
  await kubectl(['-n', namespace, 'create', '--filename', '-'], { input: JSON.stringify(podOf(node, options)) });
  const read = async (): Promise<PodStatus> =>
    JSON.parse(await kubectl(['-n', namespace, 'get', 'pod', name, '--output', 'json'])) as PodStatus;
  try {
    await until(`the pod ${name} runs`, async () => isRunning(await read()), timeoutMs);
  } catch (error) {
    const events = await kubectl(['-n', namespace, 'get', 'events', '--field-selector', `involvedObject.name=${name}`]);
    await remove();
    throw new Error(`the pod ${name} does not run:\n${events}`, { cause: error });
  }
  const tookMs = performance.now() - startMs;
  const [container] = (await read()).status.containerStatuses ?? [];
  const id = container?.containerID?.replace(/^containerd:\/\//, '') ?? '';
  const pid = (
    await node.exec(['crictl', 'inspect', '--output', 'go-template', '--template', '{{.info.pid}}', id])
  ).trim();
  return {
    name,
    tookMs,
    remove,
    // As the container sees it, whatever programs its image has.
    digestOf: async (path) =>
      `sha256:${(await node.exec(['sha256sum', `/proc/${pid}/root${path}`], { timeoutMs })).slice(0, 64)}`,
  };
}

/** Rejects with the kubelet's words when the image cannot be had. */
function isRunning({ status }: PodStatus): boolean {
  const [container] = status.containerStatuses ?? [];
  const { reason = '', message = '' } = container?.state.waiting ?? {};
  if (/ErrImagePull|ImagePullBackOff|InvalidImageName/.test(reason)) throw new Error(`${reason}: ${message}`);
  return status.phase === 'Running';
}

function podOf({ container }: ContainerNode, { name, image, volumes = [] }: PodOptions): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      nodeName: container,
      // Its program hears no signal.
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'main',
          image,
          imagePullPolicy: 'Always',
          volumeMounts: volumes.map(({ path, subPath }, at) => ({
            name: `volume-${at}`,
            mountPath: path,
            ...(subPath === undefined ? {} : { subPath }),
          })),
        },
      ],
      volumes: volumes.map(({ reference }, at) => ({
        name: `volume-${at}`,
        image: { reference, pullPolicy: 'Always' },
      })),
    },
  };
}
