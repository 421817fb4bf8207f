/** Where what was there before is kept, as Spegel keeps it: no registry can have this name. */
export const backupDirectory = '_backup';
/** What containerd reads for a registry without a directory of its own. */
export const defaultDirectory = '_default';

/**
 * The directories that containerd looks for, in its order; the first that exists is read, whatever is in it
 * (containerd core/remotes/docker/config: hostDirectory in hosts.go, hostPaths in config_unix.go).
 */
export function directoriesOf(registry: string): readonly string[] {
  const colon = registry.lastIndexOf(':');
  if (colon <= 0) return [registry];
  return [`${registry.slice(0, colon)}_${registry.slice(colon + 1)}_`, registry];
}

/** The directory of a registry: the one that containerd would read, else its name. */
export function directoryOf(registry: string, exists: (name: string) => boolean): string {
  return directoriesOf(registry).find(exists) ?? registry;
}
