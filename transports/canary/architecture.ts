/** Node's names that containerd spells otherwise. */
const spellings: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** A machine's architecture as containerd and OCI images name it; `nodeArchitecture` is `process.arch`. */
export function ociArchitecture(nodeArchitecture: string): string {
  return spellings[nodeArchitecture] ?? nodeArchitecture;
}
