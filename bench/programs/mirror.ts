import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { statusOf } from '../client/connection.ts';
import type { Address, AskStatus } from '../client/connection.ts';
import { oursName } from '../measurement.ts';
import { freePort, startProgram, until } from './program.ts';
import type { Command, Program } from './program.ts';

/** A mirror's program: what stands in a table's column, and how one node of it is started. */
export interface MirrorProgram {
  readonly name: string;
  command(settings: NodeSettings): Command;
  /** How it is started on a containerd node: what comes before `registry` and the flags that Spegel has. `nodeArgs` go to node, if it is one. */
  onNode(nodeArgs?: readonly string[]): readonly string[];
  /** Flags by which a containerd node is of a zone, if it knows zones. */
  zoneFlags(zone: string): readonly string[];
}

export interface NodeSettings {
  readonly registry: Address;
  readonly router: Address;
  readonly metrics: Address;
  /** An OCI image layout: what the node has. */
  readonly store: string;
  /** Router addresses of nodes that run already. */
  readonly bootstrap: readonly Address[];
  readonly zone: string;
  readonly namespace: string | undefined;
}

export interface MirrorNode {
  readonly settings: NodeSettings;
  readonly program: Program;
}

const root = join(import.meta.dirname, '../..');
export const bundle = join(root, 'dist/peili.mjs');

/** Ours: the bundled program where `npm run build` made one, else the sources. `nodeArgs` go to node. */
export function oursProgram(nodeArgs: readonly string[]): MirrorProgram {
  const entry = existsSync(bundle) ? bundle : join(root, 'cli/main.ts');
  return {
    name: oursName,
    onNode: (more = []) => [process.execPath, ...nodeArgs, ...more, entry],
    zoneFlags: (zone) => ['--zone', zone],
    command: ({ bootstrap, metrics, namespace, registry, router, store, zone }) => ({
      command: process.execPath,
      args: [
        ...nodeArgs,
        entry,
        'registry',
        ...['--store', `oci-layout:${store}`, '--registry-addr', textOf(registry)],
        ...['--router-addr', textOf(router), '--metrics-addr', textOf(metrics)],
        ...(zone === '' ? [] : ['--zone', zone]),
        ...(bootstrap.length === 0
          ? ['--bootstrap-kind', 'none']
          : ['--bootstrap-kind', 'static', '--static-bootstrap-peers', ...bootstrap.map(multiaddrOf)]),
      ],
      namespace,
    }),
  };
}

/**
 * Another mirror's: on containerd nodes a program with Spegel's flags, on loopback one that reads its node's settings from the environment
 * (docs/benchmarks.md).
 */
export function peerProgram(name: string, program: string): MirrorProgram {
  return {
    name,
    onNode: () => [program],
    zoneFlags: () => [],
    command: ({ bootstrap, metrics, namespace, registry, router, store, zone }) => ({
      command: program,
      args: [],
      env: {
        REGISTRY_ADDR: textOf(registry),
        ROUTER_ADDR: textOf(router),
        METRICS_ADDR: textOf(metrics),
        STORE: store,
        BOOTSTRAP: bootstrap.map(textOf).join(' '),
        ZONE: zone,
      },
      namespace,
    }),
  };
}

export interface NodePlace {
  readonly store: string;
  readonly bootstrap: readonly Address[];
  readonly zone?: string;
  /** @default 127.0.0.1 */
  readonly host?: string;
  readonly namespace?: string | undefined;
}

/** Starts a node; it may not answer yet. */
export async function startMirror(mirror: MirrorProgram, place: NodePlace): Promise<MirrorNode> {
  const { bootstrap, host = '127.0.0.1', namespace, store, zone = '' } = place;
  const at = async (): Promise<Address> => ({ host, port: await freePort() });
  const settings = { registry: await at(), router: await at(), metrics: await at(), store, bootstrap, zone, namespace };
  return { settings, program: startProgram(mirror.command(settings)) };
}

/** It answers, and takes requests. `ask` asks from where it can be reached. */
export async function untilReady(
  { program, settings }: MirrorNode,
  path = '/v2/',
  ask: AskStatus = statusOf,
): Promise<void> {
  const { host, port } = settings.registry;
  const isReady = async (): Promise<boolean> => (await ask(settings.registry, { path })) === 200;
  await until(`the mirror at ${host}:${port} is ready`, isReady, { program, everyMs: 2 });
}

function textOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

function multiaddrOf({ host, port }: Address): string {
  return `/ip4/${host}/tcp/${port}`;
}
