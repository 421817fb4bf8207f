import type { SimImage } from '../../content/catalogue.ts';
import { Life } from '../../kernel/life.ts';
import type { ContainerdOptions } from '../../containerd/containerd-options.ts';
import type { Party } from '../../network/party.ts';
import { simulate } from '../../run/simulate.ts';
import type { SimNode, World } from '../../run/world.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Policy } from '../policy.ts';

export const megabyte = 1_000_000;
/** 400 Mbit/s. */
const upstreamBytesPerSecond = 50 * megabyte;
/** What no cap means between network namespaces of one machine. */
const uncappedBytesPerSecond = 2_000_000_000;
const askEveryUs = 10_000;
const settleUs = 1_000_000;
const beforeUs = 500_000;
const untilUs = 900_000_000;
const imageName = 'registry.example/bench/image:1.0';

/** The four nodes that rows are measured on (docs/benchmarks.md): the asker, a holder in its zone, one in another, a bystander. */
export interface Stage {
  readonly world: World;
  readonly asker: SimNode;
  readonly near: SimNode;
  readonly far: SimNode;
  readonly image: SimImage;
}

export interface Row {
  readonly policy: Policy;
  readonly seed: number;
  readonly layerBytes: readonly number[];
  /** Nodes that pull it first, one after the other. */
  readonly holders: readonly number[];
  /** Before that. */
  readonly before?: (stage: Stage) => Promise<void>;
  /** Right after it. @default nothing: the asker has never heard of the image when it pulls */
  readonly after?: (stage: Stage) => Promise<void>;
  /** What happens right before the asker pulls. */
  readonly lose?: (stage: Stage) => void;
  /** Instead of a pull: what is asked of the asker's mirror. */
  readonly probe?: (stage: Stage) => Promise<void>;
  /** At every byte that arrives at the asker's containerd, how many have. */
  readonly onBytes?: (stage: Stage, received: number) => void;
  readonly containerd?: Partial<ContainerdOptions>;
}

export interface RowOutcome {
  readonly outcome: string;
  readonly seconds: number;
  /** Bytes that the upstream gave for the asker's pull, of the image's. */
  readonly fromUpstream: number;
  readonly layersFromUpstream: number;
  /** The longest time in which the asker's containerd got no byte. */
  readonly silenceSeconds: number;
}

export async function playRow(row: Row): Promise<RowOutcome> {
  const watch = createWatch(row);
  const state = { outcome: 'pending', seconds: Infinity };
  const onWorld = (world: World): void => {
    const stage = stageOf(world);
    watch.follow(stage);
    const { kernel } = world;
    kernel.schedule(beforeUs, () => void row.before?.(stage));
    world.trace.watch((event) => {
      if (event.type === 'pull-end' && event.pull === row.holders.length - 1) void play(stage);
    });
  };
  const play = async (stage: Stage): Promise<void> => {
    const { kernel, upstream } = stage.world;
    await row.after?.(stage);
    await new Promise<void>((resolve) => void kernel.schedule(settleUs, resolve));
    upstream.host.setRate(upstreamBytesPerSecond);
    row.lose?.(stage);
    const startUs = kernel.nowUs();
    watch.begin(startUs);
    if (row.probe === undefined)
      state.outcome = await stage.asker.containerd.pull(stage.image, new AbortController().signal);
    else await row.probe(stage);
    state.seconds = (kernel.nowUs() - startUs) / 1e6;
    kernel.stop();
  };
  await simulate(scenarioOf(row), { seed: row.seed, policy: row.policy, drain: 'tick', watched: {}, onWorld });
  return { ...state, ...watch.outcome() };
}

function scenarioOf({ containerd, holders, layerBytes }: Row): Scenario {
  return {
    name: 'a row of the bench',
    shows: 'what was measured on containerd nodes',
    cluster: {
      nodes: 4,
      zones: 1,
      zoneOf: ['near', 'near', 'far', 'near'],
      upBytesPerSecond: uncappedBytesPerSecond,
      downBytesPerSecond: uncappedBytesPerSecond,
      latencyUs: 100,
      zoneLatencyUs: 100,
      mirrorBytesPerSecond: uncappedBytesPerSecond,
      unpack: { layerUs: 12_000, bytesPerSecond: 400_000_000, sharedBytesPerSecond: 800_000_000 },
      ...(containerd === undefined ? {} : { containerd }),
    },
    upstream: { bytesPerSecond: uncappedBytesPerSecond, latencyUs: 100 },
    images: [{ name: imageName, layerBytes }],
    workload: [
      ...holders.map((node, order) => ({
        atUs: order === 0 ? beforeUs + 20_000 : 20_000,
        ...(order === 0 ? {} : { after: order - 1 }),
        node,
        image: imageName,
      })),
      // The bystander, so that the run goes on until the asker is done.
      { atUs: untilUs, node: 3, image: imageName },
    ],
    faults: [],
    untilUs,
  };
}

/** Counts from `begin` on. */
function createWatch(row: Row) {
  const state = { isOn: false, upstreamBytes: 0, received: 0, lastUs: 0, silenceUs: 0, imageBytes: 1 };
  const fromUpstream = new Map<number, string>();
  const toAsker = new Set<number>();
  const layers = new Map<string, number>();
  const follow = (stage: Stage): void => {
    const { asker, image, world } = stage;
    state.imageBytes = [image.manifest, image.config, ...image.layers].reduce((sum, each) => sum + each.sizeBytes, 0);
    world.trace.watch((event) => {
      if (!state.isOn) return;
      if (event.type === 'request') {
        if (event.to === world.upstream) fromUpstream.set(event.exchange, event.request.target);
        if (event.from.role === 'containerd' && event.from.host === asker.host) toAsker.add(event.exchange);
      }
      if (event.type !== 'bytes') return;
      const target = fromUpstream.get(event.exchange);
      if (target !== undefined) {
        state.upstreamBytes += event.bytes;
        layers.set(target, (layers.get(target) ?? 0) + event.bytes);
      }
      if (!toAsker.has(event.exchange)) return;
      state.received += event.bytes;
      state.silenceUs = Math.max(state.silenceUs, event.atUs - state.lastUs);
      state.lastUs = event.atUs;
      row.onBytes?.(stage, state.received);
    });
  };
  const begin = (nowUs: number): void => {
    state.isOn = true;
    state.lastUs = nowUs;
  };
  const outcome = (): Pick<RowOutcome, 'fromUpstream' | 'layersFromUpstream' | 'silenceSeconds'> => ({
    fromUpstream: state.upstreamBytes / state.imageBytes,
    layersFromUpstream: [...layers.values()].filter((bytes) => bytes >= 10_000).length,
    silenceSeconds: state.silenceUs / 1e6,
  });
  return { follow, begin, outcome };
}

function stageOf(world: World): Stage {
  const [asker, near, far] = world.nodes;
  const image = world.images.get(imageName);
  if (asker === undefined || near === undefined || far === undefined || image === undefined)
    throw new Error('the stage has four nodes and an image');
  return { world, asker, near, far, image };
}

/** As `untilFound` of the testbed: HEADs of all at once, again and again. Returns when it found all. */
export async function untilFound(stage: Stage): Promise<void> {
  while (!(await lookForAll(stage)).every((status) => status === 200)) {
    await new Promise<void>((resolve) => void stage.world.kernel.schedule(askEveryUs, resolve));
  }
}

/** HEADs of all that belongs to the image. */
export function lookForAll(stage: Stage): Promise<readonly number[]> {
  const { image } = stage;
  const blobs = [image.config, ...image.layers].map(({ digest }) => `blobs/${digest}`);
  const resources = [`manifests/${image.tag}`, `manifests/${image.manifest.digest}`, ...blobs];
  return Promise.all(resources.map((resource) => statusOf(stage, 'HEAD', resource)));
}

/** What the asker's mirror answers a client on its machine; 0: nothing. */
export async function statusOf(
  { asker, image, world }: Stage,
  method: 'GET' | 'HEAD',
  resource: string,
): Promise<number> {
  const { mirror, host } = asker;
  if (mirror === undefined) return 0;
  const client: Party = { host, role: 'containerd', life: new Life(world.kernel), server: undefined };
  const request = { method, target: `/v2/${image.repository}/${resource}?ns=${image.registry}`, headers: {} };
  try {
    const { signal } = new AbortController();
    const answer = await world.wire.exchange(client, mirror.party, request, signal, { dialTimeoutUs: 1_000_000 });
    for (
      let step = await answer.body?.next();
      step !== undefined && step.done !== true;
      step = await answer.body?.next()
    );
    return answer.status;
  } catch {
    return 0;
  }
}
