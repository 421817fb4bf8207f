import type { Limits } from '../limits.ts';
import type { Clock, Digester, PeerClient, Probe, Random } from '../ports/index.ts';
import type { Suspicion } from '../verification/suspicion.ts';
import type { FailureMemory } from './failure-memory.ts';
import type { Lookup } from './live-sources.ts';
import type { SizeMemory } from './size-memory.ts';
import type { Standing } from './standing.ts';

/** What a relay works with: ports, and what the node remembers between requests. */
export interface RelayDeps {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly random: Random;
  readonly digester: Digester;
  readonly peers: PeerClient;
  readonly lookup: Lookup;
  readonly failures: FailureMemory;
  readonly standing: Standing;
  readonly sizes: SizeMemory;
  readonly suspicion: Suspicion;
  readonly probe: Probe;
  /** This node's zone; empty when unknown. */
  readonly zone: string;
  /** Tags older than this at their source are not believed; undefined: no limit (contract L7). */
  readonly tagMaxAgeUs: number | undefined;
}
