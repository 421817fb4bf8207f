import type { Limits } from '../limits.ts';
import type { Clock, ContentStore, Digester, Observer } from '../ports/index.ts';
import type { FailureMemory } from '../relay/failure-memory.ts';
import type { SizeMemory } from '../relay/size-memory.ts';
import type { SelfCheck } from '../verification/self-check.ts';
import type { Suspicion } from '../verification/suspicion.ts';

/** What the node's own content is served with: ports, and what the node remembers between requests. */
export interface LocalDeps {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly store: ContentStore;
  readonly digester: Digester;
  readonly observer: Observer;
  readonly failures: FailureMemory;
  readonly sizes: SizeMemory;
  readonly suspicion: Suspicion;
  readonly selfCheck: SelfCheck;
  /** Tags resolved longer ago are left to the next handler, microseconds; undefined: no limit (contract L7). */
  readonly tagMaxAgeUs: number | undefined;
}
