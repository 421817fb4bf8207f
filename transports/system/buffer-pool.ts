import { PeiliError } from '../../core/index.ts';
import type { Limits } from '../../core/index.ts';
import { createSlabAllocator } from './slab-allocator.ts';
import type { Block } from './slab-allocator.ts';

/**
 * The memory of all bodies in flight: one budget, shared by the stores' reads and the peers' connections (contract L11).
 *
 * Buffers lie over SharedArrayBuffers, so that another thread can hash them without a copy.
 */
export interface BufferPool {
  /**
   * Takes `count` buffers for one body, each of `preferredBytes` at most (rounded up to a power of two) and less when many are leased.
   * Throws `OVERLOADED` when the budget is used up.
   */
  lease(preferredBytes: number, count?: number): BufferLease;
  /** Bytes in leased buffers now; at most `bufferBudgetBytes`. */
  leasedBytes(): number;
  /** Leases not yet released: zero when everything is at rest. */
  pending(): number;
}

export interface BufferLease {
  /**
   * The buffer in `slot` (0 to count - 1). Call it before each use: it may be another buffer than the last time, smaller when others came,
   * larger when they went, and what the slot held before is void.
   */
  buffer(slot?: number): Uint8Array;
  /** Gives all buffers back. Idempotent. Not before the kernel has let go of them: the next lease may get the same bytes. */
  release(): void;
}

export type BufferPoolLimits = Pick<Limits, 'bufferBudgetBytes' | 'bufferMaxBytes' | 'bufferMinBytes'>;

/** Of the budget so much is left to those who come before the others have shrunk: a share is budget / (buffers * 4). */
const shareDivisor = 4;

export function createBufferPool(limits: BufferPoolLimits): BufferPool {
  const maxBytes = powerOfTwoBelow(limits.bufferMaxBytes);
  const minBytes = Math.min(powerOfTwoBelow(limits.bufferMinBytes), maxBytes);
  if (limits.bufferBudgetBytes < maxBytes) {
    throw new PeiliError('OPTION_INVALID', 'the buffer budget must have room for one buffer of the largest size', {
      bufferBudgetBytes: limits.bufferBudgetBytes,
      bufferMaxBytes: limits.bufferMaxBytes,
    });
  }
  const slabs = createSlabAllocator({
    slabBytes: maxBytes,
    minBytes,
    slabsMax: Math.floor(limits.bufferBudgetBytes / maxBytes),
  });
  const active = { leases: 0, buffers: 0 };

  const shareBytes = (preferredBytes: number): number => {
    const share = powerOfTwoBelow(limits.bufferBudgetBytes / (Math.max(1, active.buffers) * shareDivisor));
    return Math.max(minBytes, Math.min(maxBytes, share, powerOfTwoAbove(preferredBytes)));
  };

  const takeAll = (count: number, preferredBytes: number): Block[] => {
    const blocks: Block[] = [];
    for (let index = 0; index < count; index += 1) {
      const block = slabs.take(shareBytes(preferredBytes));
      if (block === undefined) {
        for (const taken of blocks) slabs.give(taken);
        throw new PeiliError('OVERLOADED', 'all transfer buffers are in use', {
          bufferBudgetBytes: limits.bufferBudgetBytes,
        });
      }
      blocks.push(block);
    }
    return blocks;
  };

  const lease = (preferredBytes: number, count = 1): BufferLease => {
    active.buffers += count;
    let blocks: Block[];
    try {
      blocks = takeAll(count, preferredBytes);
    } catch (error) {
      active.buffers -= count;
      throw error;
    }
    active.leases += 1;
    return {
      buffer: (slot = 0) => {
        const held = blocks[slot];
        if (held === undefined)
          throw new RangeError(`slot ${String(slot)} of a lease of ${String(blocks.length)} buffers`);
        if (held.bytes.byteLength === shareBytes(preferredBytes)) return held.bytes;
        slabs.give(held);
        const other = slabs.take(shareBytes(preferredBytes));
        if (other === undefined) throw new Error('what was just given back has room for one block');
        blocks[slot] = other;
        return other.bytes;
      },
      release: () => {
        if (blocks.length === 0) return;
        for (const block of blocks) slabs.give(block);
        blocks = [];
        active.leases -= 1;
        active.buffers -= count;
      },
    };
  };

  return { lease, leasedBytes: slabs.takenBytes, pending: () => active.leases };
}

function powerOfTwoBelow(value: number): number {
  return value < 1 ? 1 : 2 ** Math.floor(Math.log2(value));
}

function powerOfTwoAbove(value: number): number {
  return value < 1 ? 1 : 2 ** Math.ceil(Math.log2(value));
}
