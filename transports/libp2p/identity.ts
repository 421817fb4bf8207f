import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { PeiliError, reasonOf } from '../../core/index.ts';

/**
 * This node's key: `<dataDir>/private.key`, PEM PKCS#8 Ed25519, made there (mode 0600, whole or not at all) when it is
 * missing; random without a data directory. Throws `IDENTITY_INVALID`.
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
    throw unusable(path, thrown);
  }
}

/** A hard link of a finished file appears at once and never replaces a key that another process made meanwhile. */
async function makeKeyFile(dataDir: string, path: string): Promise<string> {
  const draft = join(dataDir, `private.key.${randomUUID()}`);
  const pem = newKeyPem();
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o755 });
    await writeFile(draft, pem, { mode: 0o600, flag: 'wx', flush: true });
    await link(draft, path);
    return pem;
  } catch (thrown) {
    if (isFileError(thrown, 'EEXIST')) return (await readKeyFile(path)) ?? pem;
    throw unusable(path, thrown);
  } finally {
    await rm(draft, { force: true });
  }
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
    `the identity ${path} cannot be used: ${reasonOf(thrown)}`,
    { path },
    thrown,
  );
}

function isFileError(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
