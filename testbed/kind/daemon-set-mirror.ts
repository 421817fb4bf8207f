import { until } from '../netns/conditions.ts';
import { parseMetrics } from '../netns/prometheus-text.ts';
import type { ContainerNode } from '../docker/container-node.ts';
import type { MirrorService } from '../docker/container-testbed.ts';
import type { KindCluster } from './kind-cluster.ts';

/** Where the chart puts things. */
export interface ReleaseNames {
  readonly namespace: string;
  readonly daemonSet: string;
  /** The mirror's container in its pods. */
  readonly container: string;
  /** Of the node. */
  readonly registryPort: number;
  /** Of the pod. */
  readonly metricsPort: number;
}

interface MirrorPod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const startTimeoutMs = 120_000;

/** A node's mirror as the DaemonSet's pod there: whoever kills it, the kubelet starts it again. */
export function daemonSetMirror(
  { kubectl }: Pick<KindCluster, 'kubectl'>,
  node: ContainerNode,
  names: ReleaseNames,
): MirrorService {
  const { namespace, daemonSet, container, registryPort, metricsPort } = names;
  const state = { isKilled: false };
  const registryUrl = `http://${node.address}:${registryPort}`;
  const pods = async (): Promise<readonly MirrorPod[]> => {
    const selector = ['--selector', `app.kubernetes.io/name=${daemonSet},app.kubernetes.io/component=mirror`];
    const field = ['--field-selector', `spec.nodeName=${node.container}`];
    const text = await kubectl(['-n', namespace, 'get', 'pods', ...selector, ...field, '--output', 'json']);
    return (JSON.parse(text) as { readonly items: readonly MirrorPod[] }).items;
  };
  const isWell = ({ metadata, status }: MirrorPod): boolean =>
    metadata.deletionTimestamp === undefined &&
    status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
  const isReady = async (): Promise<boolean> => {
    const answer = await fetch(`${registryUrl}/readyz`, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  };
  const podName = async (): Promise<string> => {
    const pod = (await pods()).find(isWell) ?? (await pods())[0];
    if (pod === undefined) throw new Error(`${node.container} has no pod of ${daemonSet}`);
    return pod.metadata.name;
  };
  /** Signals of the node reach a process that hears none as the first of its pod. */
  const signal = async (name: string): Promise<void> => {
    const script = `for id in $(crictl ps --name '^${container}$' --label io.kubernetes.pod.namespace=${namespace} --quiet); do
kill -${name} $(crictl inspect --output go-template --template '{{.info.pid}}' $id); done`;
    await node.exec(['sh', '-c', script]);
  };
  const metrics = async (): Promise<string> =>
    kubectl(['get', '--raw', `/api/v1/namespaces/${namespace}/pods/${await podName()}:${metricsPort}/proxy/metrics`]);
  return {
    registryUrl,
    metrics,
    knows: async (others) => {
      if (!(await isReady())) return false;
      const text = await metrics().catch(() => '');
      return (parseMetrics(text).value('peili_members') ?? 0) >= others;
    },
    control: {
      kill: async () => {
        state.isKilled = true;
        await signal('KILL');
      },
      start: async () => {
        if (!state.isKilled && (await isReady())) return;
        state.isKilled = false;
        // A container that has ended waits for its time, longer after each end; a new pod does not.
        const ended = (await pods()).filter((pod) => !isWell(pod)).map(({ metadata }) => metadata.name);
        if (ended.length > 0)
          await kubectl(['-n', namespace, 'delete', 'pod', ...ended, '--grace-period=0', '--force']);
        await until(
          `the mirror of ${node.container} is ready`,
          async () => (await pods()).some(isWell) && (await isReady()),
          startTimeoutMs,
        );
      },
      freeze: () => signal('STOP'),
      thaw: () => signal('CONT'),
      log: async () => kubectl(['-n', namespace, 'logs', await podName(), '--container', container]),
    },
  };
}
