import type { DiskSpec } from './disk.ts';

const gibibyte = 1_073_741_824;

/** A quarter of the machine's memory for files, and what Linux lets wait to be written of it (`vm.dirty_ratio` 20 %), on a machine of 16 GiB. */
const memory = { pageCacheBytes: 4 * gibibyte, dirtyBytesMax: 3 * gibibyte };

/** Disks that nodes are known to have. */
export const diskProfiles = Object.freeze({
  /** Measured: containerd's writes with fsync on a small virtual machine. */
  smallVm: { bytesPerSecond: 115_000_000, flushUs: 5_000, pageCacheBytes: gibibyte, dirtyBytesMax: gibibyte / 2 },
  /** What cloud volumes give for nothing more: 125 MB/s (AWS gp3, as published). */
  cloudVolume: { bytesPerSecond: 125_000_000, flushUs: 2_000, ...memory },
  /** A local NVMe disk: sequential writes of a usual one. Assumed. */
  nvme: { bytesPerSecond: 1_500_000_000, flushUs: 200, ...memory },
}) satisfies Readonly<Record<string, DiskSpec>>;
