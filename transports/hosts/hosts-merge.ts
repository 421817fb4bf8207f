import { parse } from 'smol-toml';
import { PeiliError, reasonOf } from '../../core/index.ts';
import { fromBytes, placeAfter, renderBlock } from './hosts-block.ts';
import type { MirrorHosts, RegistryKeys } from './hosts-block.ts';

type Table = Readonly<Record<string, unknown>>;

/**
 * Puts mirrors in front of the hosts of an existing hosts.toml, every byte of which is kept. `wanted` are keys for a file that has none of that name.
 * Throws `HOSTS_INVALID` when the text is not TOML, or says what cannot stand beside a mirror; `path` is for that message.
 */
export function mergeHosts(existing: string, hosts: MirrorHosts, wanted: RegistryKeys, path: string): string {
  const before = parseBytes(existing);
  if (before instanceof Error) throw invalid(path, `it is not TOML: ${reasonOf(before)}`);
  const taken = Object.keys(tableOf(before['host']));
  const targets = hosts.targets.map((url) => spelledAnew(url, taken));
  const keys = Object.fromEntries(Object.entries(wanted).filter(([key]) => before[key] === undefined));
  const at = firstTable(existing);
  const [head, tail] = [existing.slice(0, at), existing.slice(at)];
  const merged = `${head}${renderBlock(placeAfter(head), keys, { ...hosts, targets })}${tail}`;
  const after = parseBytes(merged);
  if (after instanceof Error) {
    throw invalid(path, `mirrors cannot be put in front of its hosts: ${reasonOf(after)}`);
  }
  return merged;
}

/** A mirror that the file has already: containerd takes `<url>/v2` for the same host, and TOML allows no table twice. */
function spelledAnew(url: string, taken: readonly string[]): string {
  return taken.includes(url) ? `${url}/v2` : url;
}

/**
 * Where the first table begins, which is where keys of the registry itself end. A `[` at the start of a line may also stand in an array or a
 * text of several lines; then what is before it is not TOML by itself.
 */
function firstTable(bytes: string): number {
  for (const { index } of bytes.matchAll(/^[ \t]*\[/gm)) {
    if (!(parseBytes(bytes.slice(0, index)) instanceof Error)) return index;
  }
  return bytes.length;
}

function parseBytes(bytes: string): Table | Error {
  try {
    return parse(fromBytes(bytes));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function tableOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function invalid(path: string, what: string): PeiliError {
  const [firstLine = ''] = what.split('\n');
  return new PeiliError('HOSTS_INVALID', `${path}: ${firstLine}`, { path });
}
