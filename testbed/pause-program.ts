/** What a program of a few instructions needs to be one: `e_machine` of ELF, and the loop. */
interface Machine {
  readonly elf: number;
  readonly code: readonly number[];
}

const machines: Readonly<Record<'amd64' | 'arm64', Machine>> = {
  // mov eax, 34 (pause); syscall; back to the start
  amd64: { elf: 0x3e, code: [0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7] },
  // mov x8, 73 (ppoll); x0 to x3 are zero: nothing, for ever; svc 0; back to the start
  arm64: {
    elf: 0xb7,
    code: [0xd2800928, 0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd4000001, 0x17fffffa].flatMap((word) => [
      word & 0xff,
      (word >>> 8) & 0xff,
      (word >>> 16) & 0xff,
      word >>> 24,
    ]),
  },
};

const headerBytes = 64;
const segmentBytes = 56;
const baseAddress = 0x400000n;

/** A Linux program that waits until it is killed: an image that can run, without a compiler or another image. */
export function pauseProgram(architecture: 'amd64' | 'arm64' = 'amd64'): Uint8Array {
  const { elf, code } = machines[architecture];
  const sizeBytes = headerBytes + segmentBytes + code.length;
  const bytes = Buffer.alloc(sizeBytes);
  // ELF, 64 bits, little-endian, version 1
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(2, 16); // an executable
  bytes.writeUInt16LE(elf, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(baseAddress + BigInt(headerBytes + segmentBytes), 24); // where it starts
  bytes.writeBigUInt64LE(BigInt(headerBytes), 32); // its only segment's header
  bytes.writeUInt16LE(headerBytes, 52);
  bytes.writeUInt16LE(segmentBytes, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(1, headerBytes); // to be loaded
  bytes.writeUInt32LE(5, headerBytes + 4); // to be read and executed
  bytes.writeBigUInt64LE(baseAddress, headerBytes + 16);
  bytes.writeBigUInt64LE(baseAddress, headerBytes + 24);
  bytes.writeBigUInt64LE(BigInt(sizeBytes), headerBytes + 32);
  bytes.writeBigUInt64LE(BigInt(sizeBytes), headerBytes + 40);
  bytes.writeBigUInt64LE(0x1000n, headerBytes + 48);
  bytes.set(code, headerBytes + segmentBytes);
  return bytes;
}
