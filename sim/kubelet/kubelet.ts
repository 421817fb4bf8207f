import type { SimImage } from '../content/catalogue.ts';
import { Turns } from '../containerd/turns.ts';
import type { SimRandom } from '../kernel/random.ts';
import { BackOff } from './back-off.ts';
import { defaultKubeletOptions } from './kubelet-options.ts';
import type { KubeletOptions } from './kubelet-options.ts';
import { TokenBucket } from './token-bucket.ts';

export interface KubeletDeps {
  readonly kernel: { nowUs(): number; schedule(delayUs: number, callback: () => void): unknown };
  readonly random: SimRandom;
  /** As CRI's ImageStatus. */
  readonly hasImage: (name: string) => boolean;
  /** As CRI's PullImage: `ok`, or why it failed. */
  readonly pullImage: (image: SimImage) => Promise<string>;
}

export interface Pod {
  /** Distinguishes it from the node's other pods. */
  readonly name: string;
  /** Of its containers, in their order. */
  readonly images: readonly SimImage[];
  readonly pullPolicy: 'IfNotPresent' | 'Always';
}

/** What a pod that runs came through. */
export interface PodRun {
  /** Since it came to the node. */
  readonly readyUs: number;
  /** Failures: `ErrImagePull`, each with its reason. */
  readonly failures: readonly string[];
}

/**
 * A node's kubelet, as far as images are concerned: containers of a pod one after the other, pulls in a queue or side by side, too many a second fail at once
 * ("pull QPS exceeded"), a failed image is left alone for longer each time, and a pod is looked at again every 10 to 15 s, not when its back-off ends.
 */
export class Kubelet {
  readonly #deps: KubeletDeps;
  readonly #options: KubeletOptions;
  readonly #turns: Turns;
  readonly #bucket: TokenBucket;
  readonly #backOff: BackOff;

  constructor(deps: KubeletDeps, options: Partial<KubeletOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...defaultKubeletOptions, ...options };
    const {
      backOffMaxUs,
      backOffUs,
      parallelImagePullsMax,
      registryBurst,
      registryPullsPerSecond,
      serializeImagePulls,
    } = this.#options;
    this.#turns = new Turns(serializeImagePulls ? 1 : parallelImagePullsMax);
    this.#bucket = new TokenBucket(registryPullsPerSecond, registryBurst);
    this.#backOff = new BackOff(backOffUs, backOffMaxUs);
  }

  /** Resolves when all containers of the pod run. */
  async run(pod: Pod): Promise<PodRun> {
    const { kernel, random } = this.#deps;
    const { sandboxUs, startUs, syncUs } = this.#options;
    const beganUs = kernel.nowUs();
    const jitter = random.fork(`sync:${pod.name}`);
    const failures: string[] = [];
    const waiting = new Set(pod.images.keys());
    await this.#sleep(sandboxUs);
    for (;;) {
      for (const container of waiting) {
        const image = pod.images[container];
        if (image === undefined || !(await this.#ensure(pod, image, failures))) continue;
        waiting.delete(container);
        await this.#sleep(startUs);
      }
      if (waiting.size === 0) return { readyUs: kernel.nowUs() - beganUs, failures };
      await this.#sleep(syncUs + jitter.between(0, Math.floor(syncUs / 2)));
    }
  }

  async #ensure(pod: Pod, image: SimImage, failures: string[]): Promise<boolean> {
    const { hasImage, kernel } = this.#deps;
    if (pod.pullPolicy === 'IfNotPresent' && hasImage(image.name)) return true;
    const key = `${pod.name} ${image.name}`;
    if (this.#backOff.isWaiting(key, kernel.nowUs())) return false;
    const outcome = await this.#pull(image);
    if (outcome === 'ok') return true;
    failures.push(outcome);
    this.#backOff.next(key, kernel.nowUs());
    return false;
  }

  /** Whoever waits for its turn in the queue is counted once it has it. */
  async #pull(image: SimImage): Promise<string> {
    const giveBack = await this.#turns.take(new AbortController().signal);
    try {
      const { kernel, pullImage } = this.#deps;
      const isAllowed = this.#options.registryPullsPerSecond === 0 || this.#bucket.tryTake(kernel.nowUs());
      return isAllowed ? await pullImage(image) : 'pull-qps-exceeded';
    } finally {
      giveBack();
    }
  }

  #sleep(delayUs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#deps.kernel.schedule(delayUs, resolve);
    });
  }
}
