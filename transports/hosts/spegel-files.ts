/**
 * A hosts.toml as Spegel writes it (pkg/oci/containerd.go, v0.4.0 to v0.7.4), whole: it bears no mark, but it is always the same.
 */
const spegelFile =
  /^(?:server = '[^'\n]*'\n)?(?:\n*\[host\.'[^'\n]+'\]\ncapabilities = \['pull'(?:, 'resolve')?\]\ndial_timeout = '200ms'(?:\n\[host\.'[^'\n]+'\.header\]\nAuthorization = '[^'\n]*')?(?:\n|$))+$/;

export function isSpegelFile(text: string | undefined): boolean {
  return text !== undefined && text.length <= 65_536 && spegelFile.test(text);
}
