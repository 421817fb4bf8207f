import { defaultLimits } from '../../core/index.ts';
import type { Body } from '../../core/index.ts';
import type { SimImage } from '../content/catalogue.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { Life } from '../kernel/life.ts';
import type { Party } from '../network/party.ts';
import type { AskSpec, Scenario } from '../scenario/scenario.ts';
import type { World } from './world.ts';

/** Plans what clients ask that are no containerd. Whatever they are answered, they do nothing more: the laws look at the answers. `hangUp`: all of them, now. */
export function startAsks(world: World, { asks = [] }: Scenario): { readonly hangUp: () => void } {
  const connections = asks.map(() => new AbortController());
  for (const [index, ask] of asks.entries()) {
    const connection = connections[index] ?? new AbortController();
    world.kernel.schedule(ask.atUs, () => {
      if (connection.signal.aborted) return;
      askOnce(world, ask, connection).catch((cause: unknown) => {
        world.kernel.fail(cause);
      });
    });
  }
  return {
    hangUp: () => {
      for (const connection of connections) connection.abort();
    },
  };
}

async function askOnce(
  { images, kernel, nodes, wire }: World,
  ask: AskSpec,
  connection: AbortController,
): Promise<void> {
  const { method = 'GET', node: index, patienceUs, range, what } = ask;
  const node = nodes[index];
  const image = images.get(ask.image);
  if (node === undefined || image === undefined)
    throw new RangeError(`no node ${index} or no image ${ask.image} in this scenario`);
  if (node.mirror === undefined) return;
  const client: Party = { host: node.host, role: 'containerd', life: new Life(kernel), server: undefined };
  const timer =
    patienceUs === undefined
      ? undefined
      : kernel.schedule(patienceUs, () => {
          connection.abort();
        });
  const target = `/v2/${image.repository}/${resourceOf(image, what)}?ns=${image.registry}`;
  const request = { method, target, headers: range === undefined ? {} : { range } };
  const { dialTimeoutUs } = defaultLimits;
  try {
    const { body } = await wire.exchange(client, node.mirror.party, request, connection.signal, { dialTimeoutUs });
    if (body !== undefined) await readBody(kernel, body, ask);
  } catch {
    // An answer that ends early, or does not come: what there is to say of it the laws say.
  }
  timer?.cancel();
}

function resourceOf({ config, layers, manifest, tag }: SimImage, what: AskSpec['what']): string {
  if (what === 'tag') return `manifests/${tag}`;
  if (what === 'manifest') return `manifests/${manifest.digest}`;
  const content = what === 'config' ? config : layers[what];
  if (content === undefined) throw new RangeError(`the image has no layer ${what}`);
  return `blobs/${content.digest}`;
}

async function readBody(kernel: Kernel, body: Body, { bytesMax = Infinity, bytesPerSecond }: AskSpec): Promise<void> {
  for (let bytes = 0; bytes < bytesMax;) {
    const step = await body.next();
    if (step.done === true) return;
    const { byteLength } = step.value;
    bytes += byteLength;
    if (bytesPerSecond === undefined) continue;
    await new Promise<void>((resolve) => void kernel.schedule((byteLength * 1_000_000) / bytesPerSecond, resolve));
  }
  await body.return();
}
