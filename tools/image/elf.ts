const loadable = { magic: 0x7f454c46, class64: 2, littleEndian: 1 } as const;

/** Where the fields of an ELF64 header and of its program headers stand (elf(5)). */
const header = { programHeaders: 32, sectionHeaders: 40, programHeaderSize: 54, programHeaderCount: 56 } as const;
const sectionCount = 60;
const sectionNames = 62;
const segment = { offset: 8, sizeInFile: 32 } as const;

/**
 * A program without what only debuggers read: symbols and debug information stand after the last segment that is loaded. A fifth of Node is that. Done here and
 * not by `strip`, so that the result is the same on every machine, and for programs of another architecture.
 */
export function withoutSymbols(program: Uint8Array): Uint8Array {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const { magic, class64, littleEndian } = loadable;
  if (view.getUint32(0) !== magic || view.getUint8(4) !== class64 || view.getUint8(5) !== littleEndian)
    throw new Error('not a program: no ELF header of 64 bits, little-endian');
  const first = Number(view.getBigUint64(header.programHeaders, true));
  const sizeBytes = view.getUint16(header.programHeaderSize, true);
  const count = view.getUint16(header.programHeaderCount, true);
  let end = first + sizeBytes * count;
  for (let at = first; at < first + sizeBytes * count; at += sizeBytes) {
    const offset = Number(view.getBigUint64(at + segment.offset, true));
    end = Math.max(end, offset + Number(view.getBigUint64(at + segment.sizeInFile, true)));
  }
  const kept = program.slice(0, end);
  const keptView = new DataView(kept.buffer);
  keptView.setBigUint64(header.sectionHeaders, 0n);
  keptView.setUint16(sectionCount, 0);
  keptView.setUint16(sectionNames, 0);
  return kept;
}
