import type { Clock } from '../../core/index.ts';
import type { Catalogue } from '../content/catalogue.ts';
import { Disk } from '../disk/disk.ts';
import type { DiskSpec } from '../disk/disk.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { Life } from '../kernel/life.ts';
import type { FlowNetwork } from '../network/flow-network.ts';
import type { Host } from '../network/host.ts';
import type { Link } from '../network/link.ts';
import type { Party } from '../network/party.ts';
import type { Wire } from '../network/wire.ts';
import type { ContainerdOptions } from './containerd-options.ts';
import { SimContainerd } from './sim-containerd.ts';
import { SimStore } from './sim-store.ts';
import type { SimStoreOptions } from './sim-store.ts';
import { Unpacker } from './unpacker.ts';
import type { UnpackSpec } from './unpacker.ts';

/** What a node's containerd is and stands on. */
export interface RuntimeSpec {
  /** @default nothing is unpacked: a pull ends with its last byte */
  readonly unpack?: UnpackSpec;
  /** @default none: writes and reads cost nothing, as on tmpfs */
  readonly disk?: DiskSpec;
  /** What is configured otherwise than by default. */
  readonly containerd?: Partial<ContainerdOptions>;
}

export interface RuntimeDeps {
  readonly kernel: Kernel;
  readonly flows: FlowNetwork;
  readonly wire: Pick<Wire, 'exchange'>;
  readonly catalogue: Catalogue;
  readonly clock: Pick<Clock, 'schedule' | 'wallUs'>;
  /** What all nodes that stand on one machine unpack together. */
  readonly sharedUnpack: Link | undefined;
}

/** A node's store, and the containerd before it once its hosts are known. */
export interface Runtime {
  readonly store: SimStore;
  readonly disk: Disk | undefined;
  createContainerd(hosts: () => readonly Party[]): SimContainerd;
}

/** Who follows a store sees a change so late, and labels come so long after the content: containerd 2.1.9, a store on tmpfs. */
const storeTimes: SimStoreOptions = Object.freeze({ noticedUs: 3_000, labelledUs: 5_000, chunkBytes: 8_388_608 });

export function createRuntime(deps: RuntimeDeps, host: Host, spec: RuntimeSpec): Runtime {
  const { kernel, flows, wire, catalogue, clock } = deps;
  const disk = spec.disk === undefined ? undefined : new Disk(kernel, flows, host.name, spec.disk);
  const store = new SimStore({ clock, catalogue, disk }, storeTimes);
  return {
    store,
    disk,
    createContainerd: (hosts) => {
      const self: Party = { host, role: 'containerd', life: new Life(kernel), server: undefined };
      const { unpack } = spec;
      const unpacker =
        unpack === undefined
          ? undefined
          : new Unpacker({ kernel, flows, disk }, unpack, pathOf(unpack, deps, host.name));
      return new SimContainerd({ kernel, wire, self, store, catalogue, hosts, unpacker, disk }, spec.containerd);
    },
  };
}

/** What the unpacking of one image shares with others. */
function pathOf({ bytesPerSecond, cores }: UnpackSpec, { flows, sharedUnpack }: RuntimeDeps, name: string): Link[] {
  const path = cores === undefined ? [] : [flows.addLink(`${name} unpacking`, cores * bytesPerSecond)];
  return sharedUnpack === undefined ? path : [...path, sharedUnpack];
}
