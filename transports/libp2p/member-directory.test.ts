import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemberDirectory } from './member-directory.ts';
import { createMemberTable } from './member-table.ts';
import { createPeerIds, positionOf } from './peer-ids.ts';

const ids = createPeerIds(10);
const [selfId, otherId] = [1, 2].map((number) =>
  ids.toText(Buffer.concat([Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20), new Uint8Array(32).fill(number)])),
);

test('directory: a Spegel node that others name has our own registry port and no incarnation, whatever they say', () => {
  assert.ok(selfId !== undefined && otherId !== undefined);
  const table = createMemberTable({ ids, nowUs: () => 0 }, { selfId, membersMax: 10, retryUs: 1, forgetUs: 1 });
  const self = {
    id: selfId,
    position: positionOf(ids.toBytes(selfId)),
    addresses: ['10.0.0.1'],
    registryPort: 5000,
    kind: 'peili',
    zone: '',
    incarnation: 1,
    connected: true,
  } as const;
  const directory = createMemberDirectory(
    { ids, table, self, ownEndpoints: () => [{ host: '10.0.0.1', port: 5001 }] },
    { transport: 'tcp', version: '' },
  );
  const endpoints = [{ host: '10.0.0.2', port: 5001 }];
  const named = { id: otherId, endpoints, registryPort: 6666, kind: 'spegel', zone: 'x', incarnation: 9 } as const;
  const member = directory.hint(named);
  assert.deepEqual([member.registryPort, member.zone, member.incarnation], [5000, '', 0]);
  assert.equal(directory.hint({ ...named, id: selfId }), self, 'what others say of this node changes nothing');
  assert.equal(directory.peerOf(self)?.addresses.length, 1);
});
