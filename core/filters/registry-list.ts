import { PeiliError } from '../errors.ts';
import { isRegistry } from '../requests/grammar.ts';

/** One entry of a list of registries in the options. */
export type RegistryEntry =
  | { readonly type: 'wildcard' }
  | { readonly type: 'registry'; readonly scheme: 'http' | 'https'; readonly registry: string };

/**
 * Reads `docker.io`, `https://docker.io`, `http://localhost:5000`, or `_default` and `*`, which both mean every registry. Without a scheme it is https.
 * `_default` is the name of containerd's directory for registries that have none of their own.
 *
 * @throws OPTION_INVALID
 */
export function parseRegistryEntry(text: string): RegistryEntry {
  if (text === '_default' || text === '*') return { type: 'wildcard' };
  const scheme = text.startsWith('http://') ? 'http' : 'https';
  const registry = text.startsWith(`${scheme}://`) ? text.slice(scheme.length + 3) : text;
  if (!isRegistry(registry)) {
    const message = `no registry: ${JSON.stringify(text)}; give host[:port], https://host[:port] or http://host[:port], without a path`;
    throw new PeiliError('OPTION_INVALID', message, { registry: text });
  }
  return { type: 'registry', scheme, registry };
}

/** Whether a list names a registry. */
export interface RegistryList {
  /** False for every registry: the list is empty. */
  readonly empty: boolean;
  /** True for every registry: the list has a wildcard. */
  readonly all: boolean;
  has(registry: string): boolean;
}

/** @throws OPTION_INVALID */
export function createRegistryList(texts: readonly string[]): RegistryList {
  const names = new Set<string>();
  let all = false;
  for (const entry of texts.map(parseRegistryEntry)) {
    if (entry.type === 'wildcard') all = true;
    else names.add(entry.registry);
  }
  return { empty: texts.length === 0, all, has: (registry) => all || names.has(registry) };
}
