import { nameOf, parseReference } from '../../core/index.ts';

const sourcePrefix = 'containerd.io/distribution.source.';

/**
 * `registry/repository` of every label that says where a blob came from (containerd's core/remotes/docker/handler.go). The labels leave out a
 * registry's port, come a moment after the content, and are missing on what was imported: names of images go before them.
 */
export function sourceNames(labels: Readonly<Record<string, string>>): readonly string[] {
  const names = Object.entries(labels).flatMap(([label, value]) => {
    if (!label.startsWith(sourcePrefix)) return [];
    const registry = label.slice(sourcePrefix.length);
    return value.split(',').map((repository) => parseReference(`${registry}/${repository}`));
  });
  return [...new Set(names.filter((name) => name !== undefined).map(nameOf))].sort();
}

export interface ImageName {
  /** `registry/repository[:tag]`. */
  readonly name: string;
  /** The name again if it says what a tag means here: it has a tag, and no digest that was asked for in its place. */
  readonly tag: string | undefined;
}

/** What the name of an image record means. `id`: CRI keeps a record under the image's id too. `invalid`: it can never be asked for. */
export function readImageName(text: string): ImageName | 'id' | 'invalid' {
  if (!text.includes('/')) return 'id';
  const reference = parseReference(text);
  if (reference === undefined) return 'invalid';
  const name = nameOf(reference);
  return { name, tag: reference.tag !== undefined && reference.digest === undefined ? name : undefined };
}
