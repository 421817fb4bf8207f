import type { Digester } from '../../core/index.ts';
import type { Catalogue } from '../content/catalogue.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { FlowNetwork } from '../network/flow-network.ts';
import type { Host } from '../network/host.ts';
import type { Wire } from '../network/wire.ts';
import type { Directory } from '../node/directory.ts';
import type { ProviderRecords } from '../policies/spegel/provider-records.ts';
import type { Trace } from './trace.ts';

/** What all programs of a world share. */
export interface WorldParts {
  readonly kernel: Kernel;
  readonly trace: Trace;
  readonly wire: Wire;
  readonly flows: FlowNetwork;
  readonly random: SimRandom;
  readonly directory: Directory;
  readonly digester: Digester;
  readonly catalogue: Catalogue;
  /** One way between two hosts. */
  readonly latencyUs: (from: Host, to: Host) => number;
  /** What Spegel nodes tell each other, where there are any. */
  readonly providers: () => ProviderRecords;
}
