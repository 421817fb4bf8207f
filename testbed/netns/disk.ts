import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.ts';

/** A disk, and no tmpfs, by the file system hierarchy standard. */
const diskDirectory = '/var/tmp';
/** Sparse: what is not written takes no room. */
const sizeBytes = 16 * 1024 ** 3;

/**
 * Mounts a file system that is on the machine's disk, and has no name there: when the mount goes, with the capsule at the latest, so does what it took.
 * Unmount it with `umount`.
 */
export async function mountNamelessDisk(target: string): Promise<void> {
  const directory = await mkdtemp(join(diskDirectory, 'peili-'));
  try {
    const image = join(directory, 'disk');
    await writeFile(image, '');
    await truncate(image, sizeBytes);
    // Initialised later means: written by the kernel while something is measured.
    await run(['mkfs.ext4', '-q', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0', '-N', '200000', image]);
    await run(['mount', '-o', 'loop', image, target]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
