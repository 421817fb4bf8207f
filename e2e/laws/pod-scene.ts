import assert from 'node:assert/strict';
import type { ImageOptions, LayerOptions, PlacedImage, TestbedKubernetes, TestbedNode } from '../../testbed/index.ts';
import type { Scene } from './law.ts';

const numbers = { pods: 0 };

/** An image, and what makes its bytes anew. */
export interface Held {
  readonly image: PlacedImage;
  readonly options: ImageOptions;
}

/** Where pods are, the first node is the control plane: the second holds, the third has never had it. */
export function workersOf(scene: Scene): readonly [holder: TestbedNode, asker: TestbedNode] {
  return [scene.node(1), scene.node(2)];
}

export function kubernetesOf({ kubernetes }: Scene): TestbedKubernetes {
  assert.ok(kubernetes, 'a testbed with pods has a Kubernetes');
  return kubernetes;
}

/** An image that one worker has pulled and the other finds there; what the upstream gave for it is forgotten. */
export async function heldBy(scene: Scene, layers: readonly LayerOptions[]): Promise<Held> {
  const [holder, asker] = workersOf(scene);
  numbers.pods += 1;
  const options = { name: `team/pod-${numbers.pods}:1.0`, seed: numbers.pods, layers, command: ['/pause'] };
  const image = await scene.upstream.addImage(options);
  await holder.pull(image.name);
  await scene.untilFound(asker, image);
  await scene.upstream.resetCounts();
  return { image, options: { ...options, name: image.name } };
}

export function podName(): string {
  numbers.pods += 1;
  return `law-${numbers.pods}`;
}
