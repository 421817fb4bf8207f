import { join } from 'node:path';
import type { AddressPlan } from './addresses.ts';
import { writeMirrorHosts, writePlainHosts } from './hosts-toml.ts';
import type { HostsTomlOptions } from './hosts-toml.ts';
import { configureHosts, mirrorPorts, startMirrorProcess } from './mirror-process.ts';
import type { Mirror, MirrorOptions } from './mirror-process.ts';
import type { Namespace } from './namespace.ts';

export interface MirrorSlotDeps {
  readonly plan: AddressPlan;
  readonly registry: Pick<HostsTomlOptions, 'registry' | 'server'>;
  /** A name whose addresses are all nodes. */
  readonly membersName: string;
  /** A member's node, by what the member calls itself. */
  readonly nameOf: (memberId: string) => string;
  readonly onMirror: (node: string, mirror: Mirror) => void;
  readonly isAnyMirrorRunning: () => boolean;
}

export interface MirrorSlotPlace {
  readonly name: string;
  readonly host: number;
  readonly files: { readonly certsDirectory: string; readonly logs: string };
}

/** A node's mirrors, one after the other. */
export interface MirrorSlot {
  start(options?: MirrorOptions): Promise<Mirror>;
  writeHosts(mirrors?: readonly string[], resolveTags?: boolean): Promise<void>;
  /** The last one. Throws before the first. */
  current(): Mirror;
  hasStarted(): boolean;
  isRunning(): boolean;
}

export function createMirrorSlot(namespace: Namespace, deps: MirrorSlotDeps, place: MirrorSlotPlace): MirrorSlot {
  const { plan, membersName, registry } = deps;
  const { name, host, files } = place;
  const state: { mirror: Mirror | undefined; starts: number } = { mirror: undefined, starts: 0 };
  const ownMirror = `http://${plan.loopback}:${mirrorPorts.registry}`;
  const isRunning = (): boolean => state.mirror?.isRunning() === true;
  return {
    isRunning,
    hasStarted: () => state.mirror !== undefined,
    current: () => {
      if (state.mirror === undefined) throw new Error(`${name} has no mirror: startMirror() first`);
      return state.mirror;
    },
    writeHosts: (mirrors = [ownMirror], resolveTags = true) => {
      const options = { directory: files.certsDirectory, ...registry };
      return mirrors.length === 0 ? writePlainHosts(options) : writeMirrorHosts({ ...options, mirrors, resolveTags });
    },
    start: async (options = {}) => {
      if (isRunning()) throw new Error(`${name} has a mirror that runs`);
      if (options.configure ?? state.starts === 0) await configureHosts(namespace, options, registry.server, ownMirror);
      state.starts += 1;
      const places = {
        logFile: join(files.logs, `mirror-${state.starts}.log`),
        url: `http://${plan.urlHost(host)}`,
        loopback: plan.loopback,
        membersName,
        routerHost: plan.urlHost(host),
      };
      const untilReady = options.untilReady ?? deps.isAnyMirrorRunning();
      state.mirror = await startMirrorProcess(namespace, { ...options, untilReady }, places, deps.nameOf);
      deps.onMirror(name, state.mirror);
      return state.mirror;
    },
  };
}
