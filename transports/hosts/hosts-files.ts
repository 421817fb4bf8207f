import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  chmod,
  chown,
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rmdir,
  stat,
  symlink,
  unlink,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { PeiliError, reasonOf } from '../../core/index.ts';

/** Changes to the files, each of them whole or not at all: whoever reads sees the old file or the new one, and so does a machine that lost power. */
export interface HostsFiles {
  /** The directory that containerd is told, itself. */
  readonly root: string;
  /** `sources`: files whose words may be in it. Who could not read one of them cannot read this one either: hosts.toml may hold credentials. */
  write(path: string, bytes: string, mode: number, sources?: readonly string[]): Promise<void>;
  /** Keeps the file under another name too, with all that belongs to it: owner, mode, times. False, and nothing done, when it has other bytes by now. */
  keep(path: string, as: string, bytes: string): Promise<boolean>;
  move(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** Only when it is empty. */
  removeDirectory(path: string): Promise<void>;
}

export interface HostsFilesOptions {
  readonly root: string;
  /** Told before each change. */
  readonly onChange?: ((what: string, path: string) => void) | undefined;
}

const unfinishedName = /^\.peili-[0-9a-f]{12}$/;

/** A file that a writer left behind when it was killed. */
export function isUnfinished(name: string): boolean {
  return unfinishedName.test(name);
}

export function createHostsFiles({ root, onChange = () => undefined }: HostsFilesOptions): HostsFiles {
  const change = async <T>(what: string, path: string, work: () => Promise<T>): Promise<T> => {
    onChange(what, path);
    try {
      return await work();
    } catch (error) {
      throw unwritable(what, path, error);
    }
  };
  const replace = (from: string, to: string): Promise<void> =>
    change('rename', to, async () => {
      await rename(from, to);
      await syncDirectory(dirname(to));
    });

  return {
    root,
    write: async (path, bytes, mode, sources = []) => {
      const unfinished = unfinishedBeside(path);
      await orNothing(unfinished, async () => {
        await change('write', path, async () => {
          const modes = await Promise.all(sources.map((source) => modeOf(source, path)));
          await writeSynced(
            unfinished,
            bytes,
            modes.reduce((all, one) => all & one, mode),
          );
        });
        await replace(unfinished, path);
      });
    },
    keep: async (path, as, bytes) => {
      const unfinished = unfinishedBeside(as);
      return orNothing(unfinished, async () => {
        await change('keep', path, () => linkOrCopy(path, unfinished));
        // Another writer may have been faster: then this is not what was to be kept.
        const isMeant = (await readBytes(unfinished, path)) === bytes;
        if (isMeant) await replace(unfinished, as);
        else await change('remove', unfinished, () => unlink(unfinished));
        return isMeant;
      });
    },
    move: replace,
    remove: (path) =>
      change('remove', path, async () => {
        await unlink(path).catch(unless('ENOENT'));
        await syncDirectory(dirname(path));
      }),
    makeDirectory: (path) =>
      change('make', path, async () => {
        await mkdir(path, { mode: 0o755 }).catch(unless('EEXIST'));
        await ownAsItsParent(path);
      }),
    removeDirectory: (path) =>
      change('remove', path, async () => {
        await rmdir(path).catch(unless('ENOENT', 'ENOTEMPTY', 'EEXIST'));
      }),
  };
}

/**
 * The file's bytes, one a character; undefined: there is none. Links are followed from `home`, where the file is when it is in use; one into nowhere has
 * no bytes, and is there to be restored.
 */
export async function readBytes(path: string, home = path): Promise<string | undefined> {
  try {
    const target = await linkTarget(path, home);
    if (target === undefined) return await readFile(path, 'latin1');
    return await readFile(target, 'latin1').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return '';
      throw error;
    });
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw unreadable(path, error);
  }
}

/** Where a link points, if nothing is there. */
export async function danglingLink(path: string, home = path): Promise<string | undefined> {
  const target = await linkTarget(path, home).catch(() => undefined);
  return target !== undefined && (await kindOf(target)) === 'absent' ? target : undefined;
}

async function linkTarget(path: string, home: string): Promise<string | undefined> {
  const info = await lstat(path);
  return info.isSymbolicLink() ? resolve(dirname(home), await readlink(path)) : undefined;
}

/** All bits where there is no file. */
async function modeOf(path: string, home: string): Promise<number> {
  try {
    return (await stat((await linkTarget(path, home)) ?? path)).mode;
  } catch {
    return -1;
  }
}

/** Names in a directory; none when there is no such directory. */
export async function namesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw unreadable(path, error);
  }
}

export async function kindOf(path: string): Promise<'directory' | 'link' | 'other' | 'absent'> {
  try {
    const info = await lstat(path);
    return info.isDirectory() ? 'directory' : info.isSymbolicLink() ? 'link' : 'other';
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'absent';
    throw unreadable(path, error);
  }
}

async function writeSynced(path: string, bytes: string, mode: number): Promise<void> {
  // O_SYNC, and by the path: Node's permission model refuses fsync and fchmod, whatever it allows to write.
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_SYNC, mode);
  try {
    await chmod(path, mode); // Whatever the umask says.
    await file.writeFile(bytes, 'latin1');
  } finally {
    await file.close();
  }
  await ownAsItsParent(path);
}

/** A change that is refused leaves no unfinished file: on a full disk a mirror that tries again and again would leave one each time. */
async function orNothing<T>(unfinished: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PeiliError) await unlink(unfinished).catch(() => undefined);
    throw error;
  }
}

/** containerd may run as another user than root, and owns its directory then. */
async function ownAsItsParent(path: string): Promise<void> {
  const [own, parent] = await Promise.all([stat(path), stat(dirname(path))]);
  if (own.uid !== parent.uid || own.gid !== parent.gid)
    await chown(path, parent.uid, parent.gid).catch(unless('EPERM'));
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    // A second name for the same file, or for the same link.
    await link(from, to);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw error;
    const info = await lstat(from);
    if (info.isSymbolicLink()) await symlink(await readlink(from), to);
    else await copyFile(from, to, constants.COPYFILE_EXCL);
  }
}

/** Under Node's permission model nothing does: a machine that crashes now may come up as it was before this change, which is made again then. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync().catch(unless('ERR_ACCESS_DENIED'));
  } finally {
    await directory.close();
  }
}

function unfinishedBeside(path: string): string {
  return join(dirname(path), `.peili-${randomBytes(6).toString('hex')}`);
}

function unless(...codes: readonly string[]): (error: unknown) => void {
  return (error) => {
    if (!codes.includes(codeOf(error) ?? '')) throw error;
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function unwritable(what: string, path: string, error: unknown): PeiliError {
  const message = `cannot ${what} ${path}: ${reasonOf(error)}`;
  return new PeiliError('HOSTS_UNWRITABLE', message, { path, name: basename(path) }, error);
}

function unreadable(path: string, error: unknown): PeiliError {
  return new PeiliError('HOSTS_INVALID', `cannot read ${path}: ${reasonOf(error)}`, { path }, error);
}
