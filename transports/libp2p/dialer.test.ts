import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerIdFromString } from '@libp2p/peer-id';
import { errorCodeOf } from '../../core/index.ts';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import { createDialer } from './dialer.ts';
import type { DialerDeps } from './dialer.ts';
import { createMemberTable } from './member-table.ts';
import { createPeerIds } from './peer-ids.ts';
import { neverAborted } from './testing/nodes.ts';

const ids = createPeerIds(100);
const idOf = (byte: number): string => ids.toText(Uint8Array.of(0, 36, 8, 1, 18, 32, ...new Uint8Array(32).fill(byte)));

function dialerWith(dial: () => Promise<never>) {
  const clock = createVirtualClock();
  const options = { selfId: idOf(1), membersMax: 100, retryUs: 1, forgetUs: 1 };
  const table = createMemberTable({ ids, nowUs: clock.nowUs }, options);
  const touched: string[] = [];
  const node = { dial, getConnections: () => [], peerId: peerIdFromString(idOf(1)) } as unknown as DialerDeps['node'];
  const deps = { node, table, clock, touch: (id: string) => void touched.push(id) };
  return { clock, table, touched, dialer: createDialer(deps, { transport: 'tcp', dialTimeoutUs: 1_000 }) };
}

test('dialer: who cannot be reached is not remembered as used', async () => {
  const { dialer, table, touched } = dialerWith(() => Promise.reject(new Error('refused')));
  const endpoints = [{ host: '10.0.0.1', port: 1 }];
  table.hint({ id: idOf(2), endpoints, registryPort: 1, kind: 'peili', zone: '', incarnation: 1 });
  for (const id of [idOf(2), idOf(3)]) {
    const isUnreachable = (thrown: unknown): boolean => errorCodeOf(thrown) === 'MEMBER_UNREACHABLE';
    await assert.rejects(dialer.connect(id, neverAborted()), isUnreachable);
  }
  assert.deepEqual(touched, []);
});

test('dialer: an address that is given up before it is dialled is nobody', async () => {
  const { dialer } = dialerWith(() => Promise.reject(new Error('not dialled')));
  assert.equal(await dialer.dialEndpoint({ host: '10.0.0.1', port: 1 }, AbortSignal.abort()), undefined);
});
