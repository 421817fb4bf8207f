import { bytesPart, createGeneratedBlob, randomPart, zeroPart } from './generated-content.ts';
import type { TestBlob } from './blob.ts';

export type LayerOptions = GeneratedLayerOptions | FilesLayerOptions;

export interface GeneratedLayerOptions {
  /** The size of the layer blob, to the byte. At least 1,536: a tar header and the end of the archive. */
  readonly sizeBytes: number;
  /** Where the file stands in the root file system. @default data/<seed> */
  readonly path?: string;
}

export interface FilesLayerOptions {
  /** Given files, in this order. */
  readonly files: readonly LayerFile[];
}

export interface LayerFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** @default 0o644 */
  readonly mode?: number;
}

export const layerMediaType = 'application/vnd.oci.image.layer.v1.tar';
const blockBytes = 512;
const endBytes = 2 * blockBytes;

/** A layer: an uncompressed tar, so its digest is its diff id. */
export function createTarLayer(seed: string, options: LayerOptions): Promise<TestBlob> {
  return 'files' in options ? createFilesLayer(options) : createGeneratedLayer(seed, options);
}

/**
 * One regular file of bytes that look random.
 * What a tar's block size leaves over of the wanted size is zeros after the archive's end, which every reader ignores.
 */
async function createGeneratedLayer(seed: string, options: GeneratedLayerOptions): Promise<TestBlob> {
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

function createFilesLayer({ files }: FilesLayerOptions): Promise<TestBlob> {
  const parts = files.flatMap(({ path, content, mode = 0o644 }) => {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const fill = (blockBytes - (bytes.byteLength % blockBytes)) % blockBytes;
    return [bytesPart(tarHeader(path, bytes.byteLength, mode)), bytesPart(bytes), zeroPart(fill)];
  });
  return createGeneratedBlob([...parts, zeroPart(endBytes)], layerMediaType);
}

/** One POSIX ustar header (IEEE 1003.1, pax, "ustar Interchange Format"). */
function tarHeader(path: string, sizeBytes: number, mode = 0o644): Uint8Array {
  if (Buffer.byteLength(path) > 100) throw new RangeError(`the path ${path} is longer than 100 bytes`);
  const header = Buffer.alloc(blockBytes);
  header.write(path, 0);
  header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
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
