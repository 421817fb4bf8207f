import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeEvent } from '../../core/index.ts';
import { createMemberTable } from './member-table.ts';
import { createPeerIds } from './peer-ids.ts';
import { createReadiness } from './readiness.ts';

test('readiness: however many members one answer names, they are reported once', async () => {
  const ids = createPeerIds(1_000);
  const events: NodeEvent[] = [];
  const observer = { onPull: () => undefined, onNode: (event: NodeEvent) => void events.push(event) };
  const options = { selfId: 'self', membersMax: 500, retryUs: 1, forgetUs: 1 };
  const table = createMemberTable({ ids, nowUs: () => 0 }, options);
  const readiness = createReadiness({ observer, table, isSelfTheOnlyEntry: () => false }, 'dns');
  table.watch(readiness.report);
  for (let index = 0; index < 300; index += 1) {
    const bytes = Uint8Array.from({ length: 38 }, (_, at) => [0, 36, 8, 1, 18, 32, index % 256, index >> 8][at] ?? 1);
    const endpoints = [{ host: '10.0.0.1', port: 1 }];
    const facts = { id: ids.toText(bytes), endpoints, registryPort: 1, zone: '', incarnation: 1 } as const;
    table.hint({ ...facts, kind: 'peili' });
  }
  await Promise.resolve();
  assert.deepEqual(events, [{ type: 'members', total: 300, connected: 0 }]);
});
