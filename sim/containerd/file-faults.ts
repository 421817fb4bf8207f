import { PeiliError } from '../../core/index.ts';
import type { Chunk } from '../../core/index.ts';
import type { SimContent } from '../content/catalogue.ts';
import { SymbolChunk } from '../content/symbols.ts';

/** What goes wrong with a file. */
interface FileFault {
  /** The byte there is another one. */
  wrongAt?: number;
  /** The file ends here. */
  truncatedTo?: number;
  /** Reads that touch this offset fail: EIO. */
  failsAt?: number;
}

/** Files of a store that are not what they were written as. */
export class FileFaults {
  readonly #faults = new Map<string, FileFault>();

  /** One byte of its file is another one from now on. */
  corrupt(digest: string, atByte: number): void {
    this.#of(digest).wrongAt = atByte;
  }

  /** Its file is so short from now on. */
  truncate(digest: string, sizeBytes: number): void {
    this.#of(digest).truncatedTo = sizeBytes;
  }

  /** The disk cannot read its file there. */
  failReads(digest: string, atByte: number): void {
    this.#of(digest).failsAt = atByte;
  }

  /** Its file is as it was written, or gone. */
  mend(digest: string): void {
    this.#faults.delete(digest);
  }

  /** Who opens it looks at its size. */
  checkSize({ digest, sizeBytes }: SimContent): void {
    const { truncatedTo = Infinity } = this.#faults.get(digest) ?? {};
    if (truncatedTo < sizeBytes) throw new PeiliError('STORE_FAILED', 'the file has another size', { digest });
  }

  /** What a read of [start, end) gives, of the chunk that was written there. */
  read({ digest }: SimContent, written: Chunk, start: number, end: number): Chunk {
    const fault = this.#faults.get(digest);
    if (fault === undefined) return written;
    const { failsAt = -1, truncatedTo = Infinity, wrongAt = -1 } = fault;
    if (end > truncatedTo) throw new PeiliError('STORE_FAILED', 'the file ends too early', { digest });
    if (failsAt >= start && failsAt < end) throw new PeiliError('STORE_FAILED', 'input/output error', { digest });
    if (wrongAt < start || wrongAt >= end) return written;
    if (written instanceof SymbolChunk) return written.withWrongByte(wrongAt);
    if (!(written instanceof Uint8Array)) return written;
    const copy = written.slice();
    copy[wrongAt - start] = (copy[wrongAt - start] ?? 0) ^ 0xff;
    return copy;
  }

  #of(digest: string): FileFault {
    const fault = this.#faults.get(digest) ?? {};
    this.#faults.set(digest, fault);
    return fault;
  }
}
