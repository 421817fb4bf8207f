import { parse } from 'smol-toml';
import { fromBytes } from './hosts-block.ts';
import type { HostsDirectory } from './hosts-tree.ts';

/** What Spegel says of its mirrors, v0.4.0 to v0.7.4 (pkg/oci/containerd.go): it bears no mark, but it is always the same. */
const mirrorsPattern =
  /^(?:server = '[^'\n]*'\n)?(?:\n*\[host\.'[^'\n]+'\]\ncapabilities = \['pull'(?:, 'resolve')?\]\ndial_timeout = '200ms'(?:\n\[host\.'[^'\n]+'\.header\]\nAuthorization = '[^'\n]*')?(?:\n|$))+/;

const fileMaxBytes = 65_536;

/**
 * Whether a hosts.toml is one that Spegel wrote: its mirrors and nothing else, or, as with `--prepend-existing`, its mirrors in front of the hosts of
 * the file that it put aside. With any other host behind them somebody has written there since.
 */
export function isSpegelFile({ current, saved }: Pick<HostsDirectory, 'current' | 'saved'>): boolean {
  if (current === undefined || current.length > fileMaxBytes) return false;
  const [mirrors] = mirrorsPattern.exec(current) ?? [];
  if (mirrors === undefined) return false;
  if (mirrors.length === current.length) return true;
  const behind = hostsIn(current.slice(mirrors.length));
  const before = saved === undefined || saved.length > fileMaxBytes ? undefined : hostsIn(saved);
  if (behind === undefined || before === undefined) return false;
  return behind.length === before.length && behind.every((host) => before.includes(host));
}

/** The hosts that a text names; undefined when it is not TOML. */
function hostsIn(bytes: string): readonly string[] | undefined {
  try {
    const { host } = parse(fromBytes(bytes));
    return typeof host === 'object' ? Object.keys(host) : [];
  } catch {
    return undefined;
  }
}
