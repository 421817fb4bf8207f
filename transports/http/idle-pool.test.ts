import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import { createIdlePool } from './idle-pool.ts';
import type { PooledConnection } from './idle-pool.ts';

function setUp() {
  const clock = createVirtualClock(0);
  const destroyed: string[] = [];
  const limits = { idleConnectionTimeoutUs: 100, idleConnectionsPerPeerMax: 2, idleConnectionsMax: 3 };
  const pool = createIdlePool<PooledConnection & { name: string }>(clock, limits);
  const connection = (name: string) => ({
    name,
    key: name.slice(0, 1),
    destroy: () => void destroyed.push(name),
  });
  return { clock, destroyed, pool, connection };
}

test('idle pool: the one used last is taken first, each once', () => {
  const { pool, connection } = setUp();
  for (const name of ['a1', 'b1', 'a2']) pool.put(connection(name));
  assert.deepEqual([pool.take('a')?.name, pool.take('a')?.name, pool.take('a')?.name], ['a2', 'a1', undefined]);
  assert.equal(pool.size(), 1);
});

test('idle pool: too many for one peer, or in all, and the oldest goes', () => {
  const { pool, connection, destroyed } = setUp();
  for (const name of ['b1', 'a1', 'a2', 'a3']) pool.put(connection(name));
  assert.deepEqual(destroyed, ['a1']);
  pool.put(connection('c1'));
  assert.deepEqual(destroyed, ['a1', 'b1']);
  assert.equal(pool.size(), 3);
});

test('idle pool: each waits for its own time, under one timer', async () => {
  const { clock, pool, connection, destroyed } = setUp();
  pool.put(connection('a1'));
  await clock.advance(60);
  pool.put(connection('b1'));
  assert.equal(clock.pending(), 1);
  await clock.advance(40);
  assert.deepEqual(destroyed, ['a1']);
  await clock.advance(59);
  assert.deepEqual(destroyed, ['a1']);
  await clock.advance(1);
  assert.deepEqual(destroyed, ['a1', 'b1']);
  assert.equal(clock.pending(), 0);
});

test('idle pool: closed it ends all and keeps none', () => {
  const { clock, pool, connection, destroyed } = setUp();
  pool.put(connection('a1'));
  pool.close();
  pool.put(connection('a2'));
  assert.deepEqual([destroyed, pool.size(), clock.pending()], [['a1', 'a2'], 0, 0]);
});
