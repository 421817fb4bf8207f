import type { RegistryKeys } from './hosts-block.ts';

/**
 * What containerd makes of a directory without hosts.toml: `.crt` are authorities, `.cert` and `.key` this client's pairs
 * (core/remotes/docker/config/hosts.go, loadCertFiles). A hosts.toml would end that, so it has to say it.
 */
export function certificateKeys(names: readonly string[]): RegistryKeys {
  return {
    ca: names.filter((name) => name.endsWith('.crt')),
    client: names
      .filter((name) => name.endsWith('.cert'))
      .map((cert) => {
        const key = cert.replace(/cert$/, 'key');
        return names.includes(key) ? ([cert, key] as const) : cert;
      }),
  };
}
