import type { Body, Chunk } from '../../../core/index.ts';
import { SymbolChunk } from '../../content/symbols.ts';
import { Kernel } from '../../kernel/kernel.ts';
import { Life } from '../../kernel/life.ts';
import { Trace } from '../../run/trace.ts';
import { FlowNetwork } from '../flow-network.ts';
import { Host } from '../host.ts';
import type { Party, Server } from '../party.ts';
import { Wire } from '../wire.ts';

export const latencyUs = 500;
export const bytesPerSecond = 1_000_000;

/** Two hosts, 1 ms there and back, a megabyte a second; on the second one a server. */
export interface TwoHosts {
  readonly kernel: Kernel;
  readonly flows: FlowNetwork;
  readonly trace: Trace;
  readonly wire: Wire;
  readonly client: Party;
  readonly server: Party;
  /** Exchanges under way and flows in their links' lists. */
  pending(): number;
}

export function twoHosts(serves: Server, kernel = new Kernel(), role: Party['role'] = 'mirror'): TwoHosts {
  const trace = new Trace(kernel);
  const flows = new FlowNetwork(kernel);
  const wire = new Wire(kernel, flows, trace, { latencyUs: () => latencyUs });
  const party = (name: string): Party => {
    const rates = { upBytesPerSecond: bytesPerSecond, downBytesPerSecond: bytesPerSecond, mirrorBytesPerSecond: 1e9 };
    return { host: new Host(flows, { name, zone: '', ...rates }), role, life: new Life(kernel), server: undefined };
  };
  const [client, server] = [party('client'), party('server')];
  server.server = serves;
  const links = [client, server].flatMap(({ host }) => [host.up, host.down, host.mirrorCpu]);
  const pending = (): number => [...wire.open()].length + links.reduce((sum, { flows: all }) => sum + all.length, 0);
  return { kernel, flows, trace, wire, client, server, pending };
}

/** Serves so many bytes, the whole of blob 1. */
export function blobServer(sizeBytes: number): Server {
  return {
    answer: async () => ({
      status: 200,
      headers: { 'content-length': String(sizeBytes) },
      body: bodyOf([new SymbolChunk(1, 0, sizeBytes)]),
    }),
  };
}

export function bodyOf(chunks: readonly Chunk[]): Body {
  const left = [...chunks];
  return {
    next: async () => {
      const value = left.shift();
      return value === undefined ? { done: true, value } : { done: false, value };
    },
    return: async () => {
      left.length = 0;
      return { done: true, value: undefined };
    },
  };
}
