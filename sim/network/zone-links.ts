import type { FlowNetwork } from './flow-network.ts';
import type { Host } from './host.ts';
import type { Link } from './link.ts';

/** What carries bytes from one zone to another: for each two of them one link each way, made when first wanted. Undefined: nothing bounds it. */
export function createZoneLinks(
  flows: FlowNetwork,
  bytesPerSecond: number | undefined,
): (from: Host, to: Host) => Link | undefined {
  const links = new Map<string, Link>();
  return (from, to) => {
    if (bytesPerSecond === undefined || from.zone === to.zone || from.zone === '' || to.zone === '') return undefined;
    const name = `${from.zone}>${to.zone}`;
    const link = links.get(name) ?? flows.addLink(name, bytesPerSecond);
    links.set(name, link);
    return link;
  };
}
