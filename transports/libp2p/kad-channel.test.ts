import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '@libp2p/interface';
import { errorCodeOf } from '../../core/index.ts';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import { createHalfMessages } from './half-messages.ts';
import { openKadChannel } from './kad-channel.ts';

test('kad channel: a stream that opens after its opener has gone is reset', async () => {
  const resets: unknown[] = [];
  const stream = Object.assign(new EventTarget(), { abort: (reason: unknown) => void resets.push(reason) });
  const opening = Promise.withResolvers<typeof stream>();
  const connection = { newStream: () => opening.promise } as unknown as Connection;
  const opener = new AbortController();
  const options = { messageMaxBytes: 1_000, halfMessages: createHalfMessages(1_000), silenceMaxUs: 1_000_000 };
  const channel = openKadChannel(createVirtualClock(), connection, options, opener.signal);
  opener.abort();
  opening.resolve(stream);
  await assert.rejects(channel, (thrown) => errorCodeOf(thrown) === 'ABORTED');
  assert.equal(resets.length, 1);
});
