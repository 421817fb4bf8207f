import type { Scenario } from '../scenario/scenario.ts';
import { nodeNameOf } from '../scenario/node-names.ts';

/** Some node answers with another digest: what a tag means is believed (contract L7), and cannot be checked. */
export function isTagForged({ faults }: Scenario): boolean {
  return faults.some(({ what }) => what.kind === 'http' && what.fault.kind === 'other-digest');
}

/** Some node says that contents have another size: of a manifest's HEAD alone it cannot be checked. */
export function isSizeForged({ faults }: Scenario): boolean {
  return faults.some(
    ({ what }) => what.kind === 'http' && (what.fault.kind === 'short-length' || what.fault.kind === 'long-length'),
  );
}

/** Some node says of parts that the whole has another size: who has read its manifest knows better. */
export function isSizeClaimed({ faults }: Scenario): boolean {
  return faults.some(({ what }) => what.kind === 'http' && what.fault.kind === 'other-size');
}

/** Names of nodes that are made to give other bytes than the content's. */
export function liarsOf(scenario: Scenario): ReadonlySet<string> {
  const lies = scenario.faults.filter(
    ({ what }) => what.kind === 'corrupt' || (what.kind === 'http' && what.fault.kind === 'flip'),
  );
  return new Set(lies.map(({ target }) => nodeNameOf(scenario, target)));
}
