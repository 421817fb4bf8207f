import { parse } from 'smol-toml';

/** What containerd reads. */
export interface HostsToml {
  readonly server?: string;
  readonly ca?: string[];
  readonly client?: unknown;
  readonly host?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export function toml(text: string): HostsToml {
  // Without the prototypes that tables of TOML have.
  return JSON.parse(JSON.stringify(parse(text))) as HostsToml;
}

/** In the order in which containerd asks. */
export function hostsOf(text: string): string[] {
  return Object.keys(toml(text).host ?? {});
}

/** What an administrator might have. */
export const existing =
  '# mine\nserver = "https://harbor.example"\nca = "ca.crt"\n\n[host."https://cache.example"]\n  skip_verify = true\n';
