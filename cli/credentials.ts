import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PeiliError, reasonOf } from '../core/index.ts';
import type { BasicAuth } from '../transports/index.ts';

/** Where Spegel's chart mounts the secret. */
export const basicAuthPath = '/etc/secrets/basic-auth';

/**
 * What mirrors ask for: files `username` and `password`, to the byte, as Spegel reads them. Undefined where both are absent or empty.
 * Rejects with `OPTION_INVALID`; the values are in no message.
 */
export async function readBasicAuth(directory: string): Promise<BasicAuth | undefined> {
  const [username, password] = await Promise.all([
    readSecret(directory, 'username'),
    readSecret(directory, 'password'),
  ]);
  if (username === '' && password === '') return undefined;
  if (username.includes(':')) throw new PeiliError('OPTION_INVALID', 'the user name may have no colon (RFC 7617)');
  return { username, password };
}

async function readSecret(directory: string, name: string): Promise<string> {
  try {
    return await readFile(join(directory, name), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return '';
    throw new PeiliError('OPTION_INVALID', `${name} cannot be read: ${reasonOf(error)}`, { directory }, error);
  }
}
