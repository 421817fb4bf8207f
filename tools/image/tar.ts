/** What a root file system is made of. Everything belongs to root, and nothing has a time of its own. */
export type Entry =
  | { readonly type: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly type: 'file'; readonly path: string; readonly mode?: number; readonly bytes: Uint8Array }
  | { readonly type: 'link'; readonly path: string; readonly to: string };

const blockBytes = 512;
const pathBytesMax = 100;

/** An archive (ustar) whose bytes follow from its entries alone: sorted, and all of one time. Directories that entries lie in are entries too. */
export function tarOf(entries: readonly Entry[], seconds: number): Buffer {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const [index, { path }] of sorted.entries())
    if (sorted[index + 1]?.path === path) throw new Error(`twice in one layer: ${path}`);
  const blocks = sorted.flatMap((entry) => {
    const bytes = entry.type === 'file' ? entry.bytes : new Uint8Array();
    return [headerOf(entry, bytes.byteLength, seconds), bytes, Buffer.alloc(paddingBytes(bytes.byteLength))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

function paddingBytes(sizeBytes: number): number {
  return (blockBytes - (sizeBytes % blockBytes)) % blockBytes;
}

const types = { file: '0', link: '2', directory: '5' } as const;
const modes = { file: 0o644, link: 0o777, directory: 0o755 } as const;

function headerOf(entry: Entry, sizeBytes: number, seconds: number): Buffer {
  const path = entry.type === 'directory' ? `${entry.path}/` : entry.path;
  const target = entry.type === 'link' ? entry.to : '';
  if (Buffer.byteLength(path) > pathBytesMax || Buffer.byteLength(target) > pathBytesMax)
    throw new Error(`a path of more than ${pathBytesMax} bytes: ${path}`);
  const header = Buffer.alloc(blockBytes);
  const mode = entry.type === 'link' ? modes.link : (entry.mode ?? modes[entry.type]);
  header.write(path, 0);
  header.write(octal(mode, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(sizeBytes, 12), 124);
  header.write(octal(seconds, 12), 136);
  header.fill(' ', 148, 156);
  header.write(types[entry.type], 156);
  header.write(target, 157);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function octal(value: number, width: number): string {
  return value.toString(8).padStart(width - 1, '0');
}
