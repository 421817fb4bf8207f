/**
 * The grammar of names, OCI distribution-spec 1.1, "Pulling manifests", and of the registry before them.
 * Every expression is anchored, unambiguous and used on bounded text, so that each takes linear time.
 */

/** Registry, `/` and repository together (distribution-spec: clients impose it); hosts are shorter (RFC 1035: 255 octets). */
export const nameMaxLength = 255;

const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
/** Host names with the underscores that container networks use, IPv4, or IPv6 in brackets without a zone; a port of 1 to 5 digits. */
const registryPattern =
  /^(?:[a-zA-Z0-9_](?:[a-zA-Z0-9_-]*[a-zA-Z0-9_])?(?:\.[a-zA-Z0-9_](?:[a-zA-Z0-9_-]*[a-zA-Z0-9_])?)*|\[[0-9a-fA-F]*:[0-9a-fA-F:.]*\])(?::([0-9]{1,5}))?$/;

/** A repository name, `library/busybox`. */
export function isRepository(text: string): boolean {
  return text.length <= nameMaxLength && repositoryPattern.test(text);
}

/** Whether a registry (undefined: not said) and a repository are short enough together. */
export function fitsName(registry: string | undefined, repository: string): boolean {
  return (registry === undefined ? 0 : registry.length + 1) + repository.length <= nameMaxLength;
}

export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** `sha256:` and 64, or `sha512:` and 128 lower-case hexadecimal digits. */
export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** `host` or `host:port`, IPv6 in brackets. The case of letters is kept: the text is part of keys that other mirrors make too. */
export function isRegistry(text: string): boolean {
  if (text.length > nameMaxLength) return false;
  const match = registryPattern.exec(text);
  if (match === null) return false;
  const port = match[1];
  return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
}
