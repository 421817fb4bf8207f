import type { SimImage } from '../content/catalogue.ts';
import type { PullSpec, Scenario } from '../scenario/scenario.ts';
import type { SimNode, World } from './world.ts';

/** What one pull came to. */
export interface PullResult {
  readonly node: string;
  readonly image: string;
  /** The end of the run, when it did not begin. */
  readonly startUs: number;
  /** Undefined when it was still under way at the end. */
  readonly tookUs: number | undefined;
  /** `ok`, `pending`, or why it failed. */
  readonly outcome: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Plans all pulls of a scenario. The results fill while it runs. */
export function startWorkload(
  world: World,
  { workload, untilUs }: Scenario,
  onEnded: () => void,
): readonly PullResult[] {
  const { kernel, random, trace } = world;
  const results = workload.map((pull) => resultOf(world, pull, untilUs));
  const followers = new Map<number, number[]>();
  const begin = (pull: number): void => {
    const result = results[pull];
    const { image, node } = partsOf(world, workload[pull]);
    if (result === undefined) return;
    const startUs = kernel.nowUs();
    result.startUs = startUs;
    trace.emit({ type: 'pull-begin', pull, node: node.name, image: image.name });
    void pullWithRetries(world, node, image, workload[pull]?.retries ?? 0).then(
      (outcome) => {
        result.outcome = outcome;
        result.tookUs = kernel.nowUs() - startUs;
        trace.emit({ type: 'pull-end', pull, node: node.name, outcome });
        onEnded();
        for (const next of followers.get(pull) ?? []) plan(next);
      },
      (cause: unknown) => {
        kernel.fail(cause);
      },
    );
  };
  const plan = (pull: number): void => {
    const { atUs = 0, jitterUs = 0 } = workload[pull] ?? {};
    // A stream for each pull: leaving one out moves no other.
    const laterUs = jitterUs === 0 ? 0 : random.fork(`pull:${pull}`).between(0, jitterUs);
    kernel.schedule(atUs + laterUs, () => {
      begin(pull);
    });
  };
  for (const [pull, { after }] of workload.entries()) {
    if (after === undefined || workload[after] === undefined) plan(pull);
    else followers.set(after, [...(followers.get(after) ?? []), pull]);
  }
  return results;
}

function resultOf(world: World, pull: PullSpec, untilUs: number): Mutable<PullResult> {
  const { image, node } = partsOf(world, pull);
  const isFollower = pull.after !== undefined;
  const startUs = isFollower ? untilUs : pull.atUs;
  return { node: node.name, image: image.name, startUs, tookUs: undefined, outcome: 'pending' };
}

function partsOf({ nodes, images }: World, pull: PullSpec | undefined) {
  const node = nodes[pull?.node ?? -1];
  const image = images.get(pull?.image ?? '');
  if (node === undefined || image === undefined)
    throw new RangeError(`no node ${pull?.node} or no image ${pull?.image} in this scenario`);
  return { node, image };
}

/** As the kubelet, but for its longer waits. */
async function pullWithRetries({ kernel }: World, node: SimNode, image: SimImage, retries: number): Promise<string> {
  for (let left = retries; ; left -= 1) {
    const outcome = await node.containerd.pull(image, new AbortController().signal);
    if (outcome === 'ok' || left === 0) return outcome;
    await new Promise<void>((resolve) => void kernel.schedule(retryUs, resolve));
  }
}

const retryUs = 1_000_000;
