import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { handleOf } from './process-handle.ts';
import type { Namespace } from './namespace.ts';

/** A packet that ends a direction of a TCP connection (FIN) or all of it (RST). */
export interface ConnectionEnd {
  readonly flag: 'FIN' | 'RST';
  /** Who sent it, `address:port`. */
  readonly from: string;
  readonly to: string;
}

/** Listens to a device of a node for how connections end. */
export interface WireWatch {
  /** So far, in order. */
  ends(): readonly ConnectionEnd[];
  /** Those sent by the port that is listened to: how its server ended its connections. */
  endsByServer(): readonly ConnectionEnd[];
  stop(): Promise<void>;
}

/** `lo`: containerd and its own mirror. `eth0`: mirrors among each other. Needs tcpdump. */
export async function watchWire(namespace: Namespace, device: 'lo' | 'eth0', port: number): Promise<WireWatch> {
  // FIN is bit 0 of the flags and RST bit 2. For IPv6 the filter language has no `tcp[...]`: byte 13 of TCP, after a header of 40.
  const filter = `tcp port ${port} and (tcp[13] & 5 != 0 or (ip6 and ip6[53] & 5 != 0))`;
  const command = ['tcpdump', '-i', device, '-nn', '-t', '-l', '--immediate-mode', '-s', '128', filter];
  const child = namespace.spawn(command, { stdio: ['ignore', 'pipe', 'pipe'] });
  const process = handleOf(child);
  const ends: ConnectionEnd[] = [];
  // Pipes, as asked for.
  if (child.stdout === null || child.stderr === null) throw new TypeError('tcpdump has no output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    const end = parseLine(line);
    if (end !== undefined) ends.push(end);
  });
  await listening(child.stderr, process.ended);
  return {
    ends: () => [...ends],
    endsByServer: () => ends.filter(({ from }) => from.endsWith(`:${port}`)),
    stop: async () => {
      await process.stop();
    },
  };
}

async function listening(stderr: NodeJS.ReadableStream, ended: Promise<unknown>): Promise<void> {
  const said: string[] = [];
  const lines = createInterface({ input: stderr });
  const isListening = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      said.push(line);
      if (line.startsWith('listening on')) resolve();
    });
  });
  const early = Promise.all([ended, once(lines, 'close')]).then(() => {
    throw new Error(`tcpdump ended: ${said.join(' ')}`);
  });
  await Promise.race([isListening, early]);
}

/** `IP 127.0.0.1.40000 > 127.0.0.1.5000: Flags [F.], seq ...`: the port is behind the last dot. */
function parseLine(line: string): ConnectionEnd | undefined {
  const { from, to, flags } = /^IP6? (?<from>\S+) > (?<to>\S+): Flags \[(?<flags>[^\]]+)\]/.exec(line)?.groups ?? {};
  if (from === undefined || to === undefined || flags === undefined) return undefined;
  const place = (text: string): string => text.replace(/\.(\d+)$/, ':$1');
  return { flag: flags.includes('R') ? 'RST' : 'FIN', from: place(from), to: place(to) };
}
