import type { PlacedImage } from '../netns/part-protocol.ts';
import { dropPackets, setRate } from '../netns/network.ts';
import { docker } from './docker-cli.ts';
import type { RunOptions } from './docker-cli.ts';

/** A container with systemd and containerd in it, as kind's nodes are: what can be done to it without knowing what else runs there. */
export interface ContainerNode {
  readonly container: string;
  /** IPv4, on the testbed's network. */
  readonly address: string;
  exec(command: readonly string[], options?: RunOptions): Promise<string>;
  pull(reference: string, options?: { readonly timeoutMs?: number }): Promise<{ readonly tookMs: number }>;
  holds(image: PlacedImage): Promise<boolean>;
  images(): Promise<readonly string[]>;
  receivedBytes(digest: string): Promise<number>;
  restartContainerd(): Promise<void>;
  shape(bytesPerSecond: number | undefined): Promise<void>;
  /** Packets between the node and this address and port (or all) vanish. Resolves with what ends it. */
  drop(address?: string, port?: number): Promise<() => Promise<void>>;
}

const storeDirectory = '/var/lib/containerd/io.containerd.content.v1.content';
/** What is there of a blob: all of it, or what its ingest has. */
const receivedScript = `cd ${storeDirectory}
if [ -f "blobs/sha256/$1" ]; then stat -c %s "blobs/sha256/$1"; exit; fi
for ingest in ingest/*/; do if grep -q "$1" "$ingest/ref"; then stat -c %s "$ingest/data"; exit; fi; done
echo 0`;

export async function openContainerNode(container: string, network: string): Promise<ContainerNode> {
  const format = `{{(index .NetworkSettings.Networks ${JSON.stringify(network)}).IPAddress}}`;
  const address = (await docker(['inspect', '--format', format, container])).trim();
  const exec = (command: readonly string[], options?: RunOptions): Promise<string> =>
    docker(['exec', ...(options?.input === undefined ? [] : ['--interactive']), container, ...command], options);
  return {
    container,
    address,
    exec,
    pull: async (reference, { timeoutMs = 60_000 } = {}) => {
      const startMs = performance.now();
      await exec(['crictl', 'pull', reference], { timeoutMs });
      return { tookMs: performance.now() - startMs };
    },
    holds: async ({ blobs }) => {
      const held = new Set((await exec(['ctr', '--namespace', 'k8s.io', 'content', 'ls', '--quiet'])).split('\n'));
      return [...blobs.keys()].every((digest) => held.has(digest));
    },
    images: async () => {
      // Written by crictl: `runtime.v1.ListImagesResponse`.
      const { images } = JSON.parse(await exec(['crictl', 'images', '--output', 'json'])) as {
        readonly images: readonly { readonly repoTags: readonly string[] }[];
      };
      return images.flatMap(({ repoTags }) => repoTags).sort();
    },
    receivedBytes: async (digest) => {
      const hex = digest.slice(digest.indexOf(':') + 1);
      // An ingest may become a blob between two looks.
      const text = await exec(['sh', '-c', receivedScript, 'sh', hex]).catch(() => '0');
      return Number(text.trim());
    },
    restartContainerd: async () => {
      await exec(['systemctl', 'restart', 'containerd']);
    },
    shape: (bytesPerSecond) => setRate(exec, 'eth0', bytesPerSecond === undefined ? undefined : 8 * bytesPerSecond),
    drop: (other, port) => dropPackets({ run: exec }, { family: 'ipv4' }, other, port),
  };
}
