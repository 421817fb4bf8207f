/** A piece of a slab. */
export interface Block {
  /** Its place: slab number times slab size plus offset. Blocks are aligned to their size, so a block's other half is one bit away. */
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface SlabAllocator {
  /** A block of `sizeBytes` (a power of two between the smallest and a slab), of the next smaller size that is free, or undefined. */
  take(sizeBytes: number): Block | undefined;
  give(block: Block): void;
  takenBytes(): number;
}

export interface SlabOptions {
  /** A power of two. */
  readonly slabBytes: number;
  /** The smallest block: a power of two, at most a slab. */
  readonly minBytes: number;
  readonly slabsMax: number;
}

/**
 * A buddy allocator over slabs that are made when first needed and then kept: the memory of a bound is a bound,
 * where freed ArrayBuffers would wait for the garbage collector.
 */
export function createSlabAllocator({ slabBytes, minBytes, slabsMax }: SlabOptions): SlabAllocator {
  const slabs: SharedArrayBuffer[] = [];
  const freeBySize = new Map<number, Set<number>>();
  for (let size = minBytes; size <= slabBytes; size *= 2) freeBySize.set(size, new Set());
  const counter = { takenBytes: 0 };

  const freeOf = (sizeBytes: number): Set<number> => {
    const free = freeBySize.get(sizeBytes);
    if (free === undefined) throw new RangeError(`no blocks of ${String(sizeBytes)} bytes here`);
    return free;
  };

  const takeAddress = (sizeBytes: number): number | undefined => {
    for (const address of freeOf(sizeBytes)) {
      freeOf(sizeBytes).delete(address);
      return address;
    }
    if (sizeBytes < slabBytes) {
      const whole = takeAddress(sizeBytes * 2);
      if (whole !== undefined) freeOf(sizeBytes).add(whole + sizeBytes);
      return whole;
    }
    if (slabs.length === slabsMax) return undefined;
    slabs.push(new SharedArrayBuffer(slabBytes));
    return (slabs.length - 1) * slabBytes;
  };

  const take = (sizeBytes: number): Block | undefined => {
    for (let size = sizeBytes; size >= minBytes; size /= 2) {
      const address = takeAddress(size);
      const slab = address === undefined ? undefined : slabs[Math.floor(address / slabBytes)];
      if (address === undefined || slab === undefined) continue;
      counter.takenBytes += size;
      return { address, bytes: new Uint8Array(slab, address % slabBytes, size) };
    }
    return undefined;
  };

  const give = (block: Block): void => {
    counter.takenBytes -= block.bytes.byteLength;
    let { address } = block;
    let size = block.bytes.byteLength;
    while (size < slabBytes) {
      const isUpperHalf = address % (size * 2) !== 0;
      const otherHalf = isUpperHalf ? address - size : address + size;
      if (!freeOf(size).delete(otherHalf)) break;
      address = Math.min(address, otherHalf);
      size *= 2;
    }
    freeOf(size).add(address);
  };

  return { take, give, takenBytes: () => counter.takenBytes };
}
