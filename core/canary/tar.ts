const blockBytes = 512;

/** A tar archive of one small file, readable by all, of the epoch (POSIX ustar). The name has at most 100 ASCII characters. */
export function tarOf(name: string, file: Uint8Array): Uint8Array {
  const header = new Uint8Array(blockBytes);
  const put = (offset: number, text: string): void => {
    header.set(new TextEncoder().encode(text), offset);
  };
  put(0, name);
  put(100, octal(0o444, 8));
  put(108, octal(0, 8)); // uid
  put(116, octal(0, 8)); // gid
  put(124, octal(file.byteLength, 12));
  put(136, octal(0, 12)); // mtime
  put(148, ' '.repeat(8)); // The checksum is taken as if it were blank.
  put(156, '0');
  put(257, 'ustar\u000000');
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 7)} `);
  // The file fills whole blocks, and two empty ones end the archive.
  const archive = new Uint8Array((1 + Math.ceil(file.byteLength / blockBytes) + 2) * blockBytes);
  archive.set(header);
  archive.set(file, blockBytes);
  return archive;
}

/** Octal digits that fill a field, the last byte being NUL. */
function octal(value: number, fieldBytes: number): string {
  return `${value.toString(8).padStart(fieldBytes - 1, '0')}\u0000`;
}
