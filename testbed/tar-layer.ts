import { bytesPart, createGeneratedBlob, randomPart, zeroPart } from './generated-content.ts';
import type { TestBlob } from './blob.ts';

export interface LayerOptions {
  /** The size of the layer blob, to the byte. At least 1,536: a tar header and the end of the archive. */
  readonly sizeBytes: number;
  /** Where the file stands in the root file system. @default data/<seed> */
  readonly path?: string;
}

export const layerMediaType = 'application/vnd.oci.image.layer.v1.tar';
const blockBytes = 512;
const endBytes = 2 * blockBytes;

/**
 * A layer: an uncompressed tar (so its digest is its diff id) with one regular file of bytes that look random.
 * What a tar's block size leaves over of the wanted size is zeros after the archive's end, which every reader ignores.
 */
export async function createTarLayer(seed: string, options: LayerOptions): Promise<TestBlob> {
  const { sizeBytes, path = `data/${seed.replaceAll(/[^\w.-]/g, '-')}` } = options;
  const room = sizeBytes - blockBytes - endBytes;
  if (!Number.isSafeInteger(sizeBytes) || room < 0) {
    throw new RangeError(
      `a layer of ${sizeBytes} bytes is too small for a tar: give at least ${blockBytes + endBytes}`,
    );
  }
  const fileBytes = room - (room % blockBytes);
  const parts = [
    bytesPart(tarHeader(path, fileBytes)),
    randomPart(seed, fileBytes),
    zeroPart(sizeBytes - blockBytes - fileBytes),
  ];
  return createGeneratedBlob(parts, layerMediaType);
}

/** One POSIX ustar header (IEEE 1003.1, pax, "ustar Interchange Format"). */
function tarHeader(path: string, sizeBytes: number): Uint8Array {
  if (Buffer.byteLength(path) > 100) throw new RangeError(`the path ${path} is longer than 100 bytes`);
  const header = Buffer.alloc(blockBytes);
  header.write(path, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(sizeField(sizeBytes), 124, 'latin1');
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\0' + '00', 257);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** Octal up to 8 GiB, base 256 (GNU, star) from there on. */
function sizeField(sizeBytes: number): string {
  if (sizeBytes < 8 ** 11) return `${sizeBytes.toString(8).padStart(11, '0')}\0`;
  const field = Buffer.alloc(12);
  field.writeBigUInt64BE(BigInt(sizeBytes), 4);
  field[0] = 0x80;
  return field.toString('latin1');
}
