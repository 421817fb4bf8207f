/**
 * Real ports: what the core needs of a machine, a network and a content store.
 *
 * @packageDocumentation
 */
export { createBufferPool } from './system/buffer-pool.ts';
export type { BufferLease, BufferPool, BufferPoolLimits } from './system/buffer-pool.ts';
