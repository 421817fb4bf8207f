import type { DistributionResponse, RequestText } from '../../core/index.ts';
import type { Life } from '../kernel/life.ts';
import type { Host } from './host.ts';

/** Who asks or is asked: a program on a host. */
export interface Party {
  readonly host: Host;
  readonly role: 'containerd' | 'mirror' | 'upstream';
  /** The run of the program that there is now. */
  life: Life;
  /** What answers on its port; undefined: the port is closed. */
  server: Server | undefined;
  /** No stream of it is faster. @default no cap */
  readonly flowBytesPerSecond?: number;
}

/** A program that answers. */
export interface Server {
  /** As a mirror does: what `core`'s `Mirror` promises. `from`: whom the address belongs to. */
  answer(input: RequestText, signal: AbortSignal, from: Party): Promise<DistributionResponse>;
}

export function nameOf({ host, role }: Party): string {
  return `${host.name}/${role}`;
}
