import { createShelf } from '../drivers/shelf.ts';
import type { TestbedOptions, TestbedUpstream } from '../drivers/driver.ts';
import { undoAll } from '../netns/undo.ts';
import { startUpstream } from '../upstream.ts';
import type { ContainerNode } from './container-node.ts';
import { docker } from './docker-cli.ts';

/** A registry of this process where all containers of a network reach it: at the address of its gateway. */
export interface GatewayUpstream extends TestbedUpstream {
  readonly url: string;
  readonly address: string;
  close(): Promise<void>;
}

/** `nodes` are those whose packets vanish when it is cut off so. */
export async function startGatewayUpstream(
  network: string,
  limits: TestbedOptions['upstream'],
  nodes: () => readonly ContainerNode[],
): Promise<GatewayUpstream> {
  const address = await gatewayOf(network);
  const shelf = createShelf(() => registry);
  const server = await startUpstream({ content: shelf.images, host: address, ...limits });
  const registry = `${address}:${server.port}`;
  const undo: (() => Promise<unknown>)[] = [];
  const restore = async (): Promise<void> => {
    await undoAll(undo);
    await server.restore();
  };
  return {
    registry,
    address,
    url: server.url,
    addImage: shelf.addImage,
    addArtifact: shelf.addArtifact,
    moveTag: ({ name }, to) => shelf.addImage({ ...to, name }),
    bytesServed: () => Promise.resolve(server.bytesServed()),
    resetCounts: async () => server.resetCounts(),
    cut: async (how = 'refused') => {
      await restore();
      if (how === 'refused') await server.cut();
      // Its port alone: what this machine asks of a node comes from the same address.
      else for (const node of nodes()) undo.push(await node.drop(address, server.port));
    },
    stall: async () => server.stall(),
    restore,
    limit: async (bytesPerSecond) => server.limit(bytesPerSecond),
    close: server.close,
  };
}

/** The IPv4 one: a network may have both. */
async function gatewayOf(network: string): Promise<string> {
  const format = '{{range .IPAM.Config}}{{.Gateway}} {{end}}';
  const gateways = (await docker(['network', 'inspect', '--format', format, network])).trim().split(/\s+/);
  const address = gateways.find((gateway) => /^\d+(?:\.\d+){3}$/.test(gateway));
  if (address === undefined) throw new Error(`the network ${network} has no IPv4 gateway`);
  return address;
}
