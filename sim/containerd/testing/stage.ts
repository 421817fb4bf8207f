import type { DistributionResponse, RequestText } from '../../../core/index.ts';
import { Catalogue } from '../../content/catalogue.ts';
import type { ImageText, SimImage } from '../../content/catalogue.ts';
import { Kernel } from '../../kernel/kernel.ts';
import { Life } from '../../kernel/life.ts';
import type { ExchangeCall } from '../../network/exchange.ts';
import { FlowNetwork } from '../../network/flow-network.ts';
import { Host } from '../../network/host.ts';
import type { HttpFault } from '../../network/http-fault.ts';
import type { Party } from '../../network/party.ts';
import { Wire } from '../../network/wire.ts';
import { createSimDigester } from '../../node/sim-digester.ts';
import { Trace } from '../../run/trace.ts';
import { SimUpstream } from '../../upstream/sim-upstream.ts';
import { createRuntime } from '../create-runtime.ts';
import type { RuntimeSpec } from '../create-runtime.ts';
import type { PullOutcome, SimContainerd } from '../sim-containerd.ts';
import { SimStore } from '../sim-store.ts';

export const megabyte = 1_000_000;
/** All cables carry so much, both ways. */
export const bytesPerSecond = 100 * megabyte;

/** What was asked, and of whom. */
export interface Asked {
  readonly atUs: number;
  readonly of: string;
  readonly what: string;
  readonly range: string | undefined;
}

/** What a registry of the stage does with a request; undefined: what it does by itself. */
export type Answer = (
  request: RequestText,
  signal: AbortSignal,
) => DistributionResponse | Promise<DistributionResponse> | undefined;

/** One node, the registries that it asks in order, and virtual time. */
export interface Stage {
  readonly kernel: Kernel;
  readonly catalogue: Catalogue;
  readonly flows: FlowNetwork;
  readonly store: SimStore;
  readonly containerd: SimContainerd;
  readonly image: SimImage;
  /** All requests of the node so far: `GET blobs/0` is that of the first layer. */
  readonly asked: Asked[];
  /** Bytes of bodies that have come to it. */
  readonly received: () => number;
  pullAt(atUs: number): { readonly endUs: () => number; readonly outcome: () => PullOutcome | 'pending' };
  /** What goes wrong with requests to this registry. */
  fault(of: string, fault: (call: ExchangeCall) => HttpFault | undefined): void;
  /** It answers so. */
  answer(of: string, answer: Answer): void;
  remove(of: string): void;
  run(untilUs: number): Promise<void>;
}

export interface StageOptions {
  /** Registries in order: mirrors, and the upstream at last. All of them have the image. @default one mirror and the upstream */
  readonly hosts?: readonly string[];
  readonly layerBytes?: readonly number[];
  readonly image?: Partial<ImageText>;
  readonly runtime?: RuntimeSpec;
  readonly latencyUs?: number;
}

export function createStage({
  hosts = ['mirror', 'upstream'],
  layerBytes = [10 * megabyte],
  image: text = {},
  runtime: spec = {},
  latencyUs = 500,
}: StageOptions = {}): Stage {
  const kernel = new Kernel({ drain: 'tick' });
  const trace = new Trace(kernel);
  const flows = new FlowNetwork(kernel);
  const catalogue: Catalogue = new Catalogue(createSimDigester(() => catalogue));
  const wire = new Wire(kernel, flows, trace, { latencyUs: () => latencyUs });
  const clock = {
    schedule: (delayUs: number, callback: () => void) => kernel.schedule(delayUs, callback),
    wallUs: () => 1_700_000_000_000_000 + kernel.nowUs(),
  };
  const createHost = (name: string): Host =>
    new Host(flows, {
      name,
      zone: '',
      upBytesPerSecond: bytesPerSecond,
      downBytesPerSecond: bytesPerSecond,
      mirrorBytesPerSecond: 1e12,
    });
  const image = catalogue.addImage({
    registry: 'docker.io',
    repository: 'library/app',
    tag: '1',
    layerBytes,
    ...text,
  });
  const answers = new Map<string, Answer>();
  const parties = hosts.map((name): Party => {
    const registry = new SimUpstream(
      { catalogue, store: new SimStore({ clock, catalogue }), nowUs: () => kernel.nowUs() },
      { bytesPerSecond: 0, latencyUs: 0 },
    );
    registry.add(image);
    return {
      host: createHost(name),
      role: name === 'upstream' ? 'upstream' : 'mirror',
      life: new Life(kernel),
      server: {
        answer: (request, signal) =>
          Promise.resolve(answers.get(name)?.(request, signal) ?? registry.answer(request, signal)),
      },
    };
  });
  const { store, createContainerd } = createRuntime(
    { kernel, flows, wire, catalogue, clock, sharedUnpack: undefined },
    createHost('node'),
    spec,
  );
  const containerd = createContainerd(() => parties);
  const [asked, state] = [[] as Asked[], { bytes: 0 }];
  trace.watch((event) => {
    if (event.type === 'bytes') state.bytes += event.bytes;
    if (event.type !== 'request') return;
    const { method, target, headers } = event.request;
    const what = `${method} ${nameParts(target, image)}`;
    asked.push({ atUs: event.atUs, of: event.to.host.name, what, range: headers['range'] });
  });
  return {
    kernel,
    catalogue,
    flows,
    store,
    containerd,
    image,
    asked,
    received: () => state.bytes,
    pullAt: (atUs) => {
      const end: { atUs: number; outcome: PullOutcome | 'pending' } = { atUs: -1, outcome: 'pending' };
      kernel.schedule(atUs - kernel.nowUs(), () => {
        void containerd.pull(image, new AbortController().signal).then((outcome) => {
          Object.assign(end, { atUs: kernel.nowUs(), outcome });
        });
      });
      return { endUs: () => end.atUs, outcome: () => end.outcome };
    },
    fault: (of, fault) => {
      wire.rule((call) => (call.to.host.name === of ? fault(call) : undefined));
    },
    answer: (of, answer) => {
      answers.set(of, answer);
    },
    remove: (of) => {
      for (const party of parties) if (party.host.name === of) party.server = undefined;
    },
    run: async (untilUs) => {
      await kernel.run({ untilUs });
    },
  };
}

/** `blobs/0` for the first layer, `blobs/config`, `manifests/tag`, `manifests/root`. */
function nameParts(target: string, { config, layers, root, tag }: SimImage): string {
  const [, kind = '', reference = ''] = /(manifests|blobs)\/([^?]+)/.exec(target) ?? [];
  if (reference === tag) return `${kind}/tag`;
  if (reference === root.digest) return `${kind}/root`;
  if (reference === config.digest) return `${kind}/config`;
  const layer = layers.findIndex(({ digest }) => digest === reference);
  return layer === -1 ? target : `${kind}/${layer}`;
}
