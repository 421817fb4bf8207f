import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestImage } from '../image.ts';
import { writeOciLayout } from '../oci-layout.ts';
import type { Namespace } from './namespace.ts';
import { run } from './run.ts';

/** Imports an image into the namespace that CRI sees, from a tarball in a folder that both this process and the node know as `directory`. */
export async function importImage(namespace: Namespace, directory: string, image: TestImage): Promise<void> {
  const work = await mkdtemp(join(directory, 'import-'));
  try {
    const layout = join(work, 'layout');
    await writeOciLayout([image], layout);
    const archive = join(work, 'image.tar');
    await run(['tar', '-C', layout, '--exclude', './ingest', '-cf', archive, '.']);
    await namespace.run(['ctr', '--namespace', 'k8s.io', 'images', 'import', archive]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
