const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  EEXIST: 'a file has that name',
  ENOSPC: 'the disk is full',
  EROFS: 'nothing can be written there',
};

/** Why a file could not be read or written, as a person says it. */
export function sayFileTrouble(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return String(error);
  const code = String(error.code);
  return words[code] ?? code;
}
