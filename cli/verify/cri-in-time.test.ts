import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCriClient, createSystemClock } from '../../transports/index.ts';
import { criInTime } from './cri-in-time.ts';

test('verify: a containerd that takes connections and says nothing is told in time', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'verify-hanging-'));
  const socket = join(directory, 'containerd.sock');
  const taken: Socket[] = [];
  const hanging = createServer((connection) => void taken.push(connection)).listen(socket);
  await once(hanging, 'listening');
  const cri = criInTime(
    { clock: createSystemClock(), cri: createCriClient({ socket }) },
    { containerdCallTimeoutUs: 50_000 },
  );
  context.after(async () => {
    cri.close();
    for (const connection of taken) connection.destroy();
    hanging.close();
    await rm(directory, { recursive: true });
  });
  const { signal } = new AbortController();
  for (const call of [
    cri.version(signal),
    cri.status(signal),
    cri.imageStatus('a', signal),
    cri.listImages(signal),
    cri.removeImage('a', signal),
  ]) {
    await assert.rejects(call, { code: 'CONTAINERD_UNREACHABLE', message: /in time/ });
  }
});
