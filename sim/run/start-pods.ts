import { Kubelet } from '../kubelet/kubelet.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { SimNode, World } from './world.ts';

/** What became of one pod. */
export interface PodResult {
  readonly node: string;
  readonly images: readonly string[];
  readonly startUs: number;
  /** From its coming to the node until all its containers run; undefined: they do not yet. */
  readonly readyUs: number | undefined;
  /** Failed pulls, each with its reason. */
  readonly failures: readonly string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Plans all pods of a scenario. Their pulls are told as others are, with numbers after those of the workload. The results fill while it runs. */
export function startPods(world: World, scenario: Scenario, onEnded: () => void): readonly PodResult[] {
  const { images, kernel } = world;
  const kubelets = createKubelets(world, scenario);
  return (scenario.pods ?? []).map((pod, index) => {
    const kubelet = kubelets(pod.node);
    const contents = pod.images.map((name) => {
      const image = images.get(name);
      if (image === undefined) throw new RangeError(`no image ${name} in this scenario`);
      return image;
    });
    const result: Mutable<PodResult> = {
      node: kubelet.node.name,
      images: pod.images,
      startUs: pod.atUs,
      readyUs: undefined,
      failures: [],
    };
    kernel.schedule(pod.atUs, () => {
      const { pullPolicy = 'IfNotPresent' } = pod;
      kubelet.kubelet.run({ name: `pod-${index}`, images: contents, pullPolicy }).then(
        ({ readyUs, failures }) => {
          result.readyUs = readyUs;
          result.failures = failures;
          onEnded();
        },
        (cause: unknown) => {
          kernel.fail(cause);
        },
      );
    });
    return result;
  });
}

interface NodeKubelet {
  readonly node: SimNode;
  readonly kubelet: Kubelet;
}

/** One for each node that pods come to. */
function createKubelets(world: World, { cluster, workload }: Scenario): (node: number) => NodeKubelet {
  const { kernel, nodes, random, trace } = world;
  const all = new Map<number, NodeKubelet>();
  let pulls = workload.length;
  return (index) => {
    const known = all.get(index);
    if (known !== undefined) return known;
    const node = nodes[index];
    if (node === undefined) throw new RangeError(`no node ${index} in this scenario`);
    const { containerd, name, store } = node;
    const kubelet = new Kubelet(
      {
        kernel,
        random: random.fork(`kubelet:${name}`),
        hasImage: (image) => store.hasImage(image),
        pullImage: async (image) => {
          const pull = pulls;
          pulls += 1;
          trace.emit({ type: 'pull-begin', pull, node: name, image: image.name });
          const outcome = await containerd.pull(image, new AbortController().signal);
          trace.emit({ type: 'pull-end', pull, node: name, outcome });
          return outcome;
        },
      },
      cluster.kubelet,
    );
    const created = { node, kubelet };
    all.set(index, created);
    return created;
  };
}
