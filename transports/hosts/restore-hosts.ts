import { join } from 'node:path';
import { othersText } from './hosts-block.ts';
import { isUnfinished, kindOf, namesIn } from './hosts-files.ts';
import type { HostsFiles } from './hosts-files.ts';
import { hostsPath, readDirectory, savedPath } from './hosts-tree.ts';
import { backupDirectory } from './registry-directory.ts';

/** A file that others wrote, put together from what they wrote at different times. */
const restoredMode = 0o644;

/** Leaves in one registry's directory what others wrote, and nothing of ours. Killed at any step, it goes on where it was. */
export async function restoreDirectory(
  files: HostsFiles,
  name: string,
  options: { readonly isMade: boolean },
): Promise<void> {
  const { root } = files;
  await removeUnfinished(files, join(root, name));
  await removeUnfinished(files, join(root, backupDirectory, name));
  const { kind, current, saved } = await readDirectory(root, name);
  const [path, aside] = [hostsPath(root, name), savedPath(root, name)];
  const others = othersText(current, saved);
  if (others === undefined) {
    if (current !== undefined) await files.remove(path);
  } else if (others === current || kind === 'link' || kind === 'other') {
    // Their last word is in place.
    if (saved !== undefined) await files.remove(aside);
  } else {
    if (kind === 'absent') await files.makeDirectory(join(root, name));
    if (others !== saved) await files.write(path, others, restoredMode, [path, aside]);
    if (others === saved) await files.move(aside, path);
    else if (saved !== undefined) await files.remove(aside);
  }
  await files.removeDirectory(join(root, backupDirectory, name));
  if (options.isMade && kind === 'directory') await files.removeDirectory(join(root, name));
}

async function removeUnfinished(files: HostsFiles, directory: string): Promise<void> {
  if ((await kindOf(directory)) !== 'directory') return;
  for (const name of await namesIn(directory)) {
    if (isUnfinished(name)) await files.remove(join(directory, name));
  }
}

export { removeUnfinished };
