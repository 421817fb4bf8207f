import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { PeiliError, reasonOf } from '../../core/index.ts';

/**
 * This node's key: `<dataDir>/private.key`, PEM PKCS#8 Ed25519, made there (mode 0600, whole or not at all) when it is
 * missing; random without a data directory. Throws `IDENTITY_INVALID` for a file that is no such key, `DATA_DIR_INVALID` where none can be read or made.
 */
export async function loadIdentity(dataDir: string | undefined): Promise<Ed25519PrivateKey> {
  if (dataDir === undefined) return keyFromPem(newKeyPem(), 'a new key');
  const path = join(dataDir, 'private.key');
  const pem = (await readKeyFile(path)) ?? (await makeKeyFile(dataDir, path));
  return keyFromPem(pem, path);
}

async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (isFileError(thrown, 'ENOENT')) return undefined;
    throw unusableDirectory(path, thrown);
  }
}

/** A hard link of a finished file appears at once and never replaces a key that another process made meanwhile. */
async function makeKeyFile(dataDir: string, path: string): Promise<string> {
  const draft = join(dataDir, `private.key.${randomUUID()}`);
  const pem = newKeyPem();
  try {
    await makeDirectory(dataDir);
    // O_SYNC, since Node's permission model refuses an fsync.
    const flag = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_SYNC;
    await writeFile(draft, pem, { mode: 0o600, flag });
    await link(draft, path);
    return pem;
  } catch (thrown) {
    if (isFileError(thrown, 'EEXIST')) return (await readKeyFile(path)) ?? pem;
    throw unusableDirectory(path, thrown);
  } finally {
    await rm(draft, { force: true }).catch(() => undefined); // Where the directory is none, there is no draft.
  }
}

/** As `mkdir -p`. Node's own recursive mkdir never returns where a file system has no room for directories, such as /proc. */
async function makeDirectory(path: string): Promise<void> {
  const failure = await mkdirFailure(path);
  if (failure === undefined) return;
  const parent = dirname(path);
  if (parent === path) throw failure;
  if (!(await isThere(parent))) await makeDirectory(parent);
  const second = await mkdirFailure(path);
  if (second !== undefined) throw second;
}

/** What stands in the way, if it is the way to there that is missing. A file of that name fails when the key is written into it. */
async function mkdirFailure(path: string): Promise<Error | undefined> {
  try {
    await mkdir(path, { mode: 0o755 });
    return undefined;
  } catch (thrown) {
    if (isFileError(thrown, 'EEXIST')) return undefined;
    if (thrown instanceof Error && isFileError(thrown, 'ENOENT')) return thrown;
    throw thrown;
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function keyFromPem(pem: string, path: string): Promise<Ed25519PrivateKey> {
  const seed = ((): Uint8Array => {
    try {
      const key = createPrivateKey({ key: pem, format: 'pem' });
      const { d } =
        key.asymmetricKeyType === 'ed25519' && pem.includes('BEGIN PRIVATE KEY') ? key.export({ format: 'jwk' }) : {};
      if (d === undefined) throw new Error('not an Ed25519 key');
      return Buffer.from(d, 'base64url');
    } catch (thrown) {
      throw unusable(path, thrown);
    }
  })();
  return generateKeyPairFromSeed('Ed25519', seed);
}

function newKeyPem(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function unusable(path: string, thrown: unknown): PeiliError {
  return new PeiliError(
    'IDENTITY_INVALID',
    `${path} is no PEM PKCS#8 Ed25519 key; remove it to have a new identity made`,
    { path },
    thrown,
  );
}

function unusableDirectory(path: string, thrown: unknown): PeiliError {
  const reason = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : reasonOf(thrown);
  return new PeiliError(
    'DATA_DIR_INVALID',
    `${path} cannot be read or made (${reason}); name a directory that this process may write, or mend its rights`,
    { path, reason },
    thrown,
  );
}

function isFileError(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
