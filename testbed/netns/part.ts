import process from 'node:process';
import { createArtifact, createImage } from '../image.ts';
import type { TestImage } from '../image.ts';
import { startFaultProxy } from '../fault-proxy.ts';
import type { FaultRule } from '../fault-proxy.ts';
import { startUpstream } from '../upstream.ts';
import type {
  FaultProxyCalls,
  NodeFaultRule,
  PartCalls,
  PartHandlers,
  PartReply,
  PartRequest,
  PartStart,
  PlacedImage,
  UpstreamCalls,
} from './part-protocol.ts';

/** A process of a testbed inside a namespace: it does what its parent tells it over IPC, and ends with it. */
async function main(kind: string | undefined, start: PartStart): Promise<void> {
  const handlers = new Map<string, (argument: never) => unknown>(Object.entries(await open(kind, start)));
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message) => {
    // The other end is `startPart`, of the same checkout.
    const { id, method, argument } = message as PartRequest;
    const reply = (answer: PartReply): void => void process.send?.(answer);
    const handler = handlers.get(method);
    // As above: the argument's type goes with the method's name.
    Promise.try(() => handler?.(argument as never)).then(
      (answer) => {
        reply({ id, answer });
      },
      (error: unknown) => {
        reply({ id, failure: error instanceof Error ? error.message : String(error) });
      },
    );
  });
  process.send?.({ id: 0, answer: 'ready' } satisfies PartReply);
}

function open(kind: string | undefined, start: PartStart): Promise<PartHandlers<PartCalls[keyof PartCalls]>> {
  if (kind === 'upstream') return upstreamPart(start);
  if (kind === 'fault-proxy') return faultProxyPart(start);
  throw new TypeError(`there is no part "${kind ?? ''}"`);
}

async function faultProxyPart({ target = '', ...place }: PartStart): Promise<PartHandlers<FaultProxyCalls>> {
  const proxy = await startFaultProxy({ target, ...place });
  const ruleOf = ({ request, ...rule }: NodeFaultRule): FaultRule => {
    if (request === undefined) return rule;
    const pattern = new RegExp(request);
    return { ...rule, when: ({ method, target: path, range }) => pattern.test([method, path, range ?? ''].join(' ')) };
  };
  return {
    setRules: (rules) => proxy.setRules(rules.map(ruleOf)),
    requests: proxy.requests,
    kill: proxy.kill,
  };
}

async function upstreamPart({ host, port }: PartStart): Promise<PartHandlers<UpstreamCalls>> {
  const images: TestImage[] = [];
  const upstream = await startUpstream({ content: images, host, port });
  const add = (image: TestImage): PlacedImage => {
    // The newest first: a tag means the first that has it.
    images.unshift(image);
    const { blobs, ...rest } = image;
    const plain = [...blobs].map(([digest, { sizeBytes, mediaType }]) => [digest, { sizeBytes, mediaType }] as const);
    return { ...rest, blobs: new Map(plain) };
  };
  return {
    addImage: async (options) => add(await createImage(options)),
    addArtifact: async (options) => add(await createArtifact(options)),
    removeImage: (name) => {
      const at = images.findIndex((image) => image.name === name);
      if (at >= 0) images.splice(at, 1);
    },
    counts: upstream.counts,
    resetCounts: upstream.resetCounts,
    cut: upstream.cut,
    stall: upstream.stall,
    restore: upstream.restore,
  };
}

const [, , kind, options = '{}'] = process.argv;
// Written by `startPart`.
await main(kind, JSON.parse(options) as PartStart);
