import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { errorCodeOf } from '../../core/index.ts';
import { loadIdentity } from './identity.ts';

async function directory(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'peili-identity-'));
  context.after(() => rm(path, { recursive: true }));
  return path;
}

test('identity: made once, PEM PKCS#8 Ed25519, readable by its owner alone, and nothing else is left', async (context) => {
  const dataDir = join(await directory(context), 'data');
  const first = await loadIdentity(dataDir);
  assert.ok(first.equals(await loadIdentity(dataDir)));
  const path = join(dataDir, 'private.key');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const pem = await readFile(path, 'utf8');
  assert.match(pem, /^-----BEGIN PRIVATE KEY-----/);
  assert.equal(createPrivateKey(pem).asymmetricKeyType, 'ed25519');
  assert.deepEqual(await readdir(dataDir), ['private.key']);
});

test('identity: starts at once in one directory agree', async (context) => {
  const dataDir = await directory(context);
  const keys = await Promise.all(Array.from({ length: 8 }, () => loadIdentity(dataDir)));
  assert.equal(new Set(keys.map((key) => key.publicKey.toString())).size, 1);
});

test('identity: random without a data directory', async () => {
  assert.ok(!(await loadIdentity(undefined)).equals(await loadIdentity(undefined)));
});

test('identity: anything else is IDENTITY_INVALID, and stays as it was', async (context) => {
  const dataDir = await directory(context);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
    .privateKey.export({ format: 'pem', type: 'pkcs8' })
    .toString();
  for (const text of ['', 'not a key', rsa]) {
    await writeFile(join(dataDir, 'private.key'), text);
    await assert.rejects(loadIdentity(dataDir), (thrown) => errorCodeOf(thrown) === 'IDENTITY_INVALID');
    assert.equal(await readFile(join(dataDir, 'private.key'), 'utf8'), text);
  }
});

test('identity: a directory that cannot be is DATA_DIR_INVALID at once, and says nothing of the key', async (context) => {
  const root = await directory(context);
  await writeFile(join(root, 'file'), '');
  // Below /proc there is no room for directories: a recursive mkdir of Node does not return there.
  const impossible = [
    join(root, 'file'),
    join(root, 'file', 'data'),
    ...(existsSync('/proc/self') ? ['/proc/peili/data'] : []),
  ];
  for (const dataDir of impossible) {
    await assert.rejects(loadIdentity(dataDir), (thrown) => {
      assert.equal(errorCodeOf(thrown), 'DATA_DIR_INVALID');
      assert.doesNotMatch(String(thrown), /remove/);
      return true;
    });
  }
});

test('identity: directories above are made', async (context) => {
  const dataDir = join(await directory(context), 'a', 'b', 'c');
  const keys = await Promise.all(Array.from({ length: 4 }, () => loadIdentity(dataDir)));
  assert.equal(new Set(keys.map((key) => key.publicKey.toString())).size, 1);
});
