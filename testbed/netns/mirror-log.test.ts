import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientBytesBySource, pullsIn, readLog } from './mirror-log.ts';

const pull = { msg: 'pull', pullId: 1, asker: 'client', method: 'GET', sources: { peerA: 10, local: 1 } };
const lines = [
  { msg: 'running', peerId: 'peerB' },
  pull,
  { ...pull, pullId: 2, sources: { peerA: 5, peerC: 7 } },
  { ...pull, pullId: 3, asker: 'mirror', sources: { local: 1000 } },
  { msg: 'pull' },
];

test('log: bytes of clients are told by node, those of other mirrors are not counted', () => {
  const pulls = pullsIn(lines, (id) => (id === 'peerA' ? 'node-1' : id));
  assert.equal(pulls.length, 3);
  assert.deepEqual(clientBytesBySource(pulls), { 'node-1': 15, local: 1, peerC: 7 });
});

test('log: a line that is no JSON is kept as it is, as a crash leaves it', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'peili-log-'));
  context.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'mirror.log');
  await writeFile(file, `${JSON.stringify(lines[0])}\nTypeError: broken\n[1]\n17\n`);
  assert.deepEqual(await readLog(file), [lines[0], { msg: 'TypeError: broken' }, [1], { msg: '17' }]);
});
