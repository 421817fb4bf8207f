import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '@libp2p/interface';
import { errorCodeOf } from '../../core/index.ts';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import { createHalfMessages } from './half-messages.ts';
import { createPeerIds } from './peer-ids.ts';
import { openRecordsChannel } from './records-channel.ts';
import { encodeRecordsMessage } from './records-codec.ts';
import { neverAborted } from './testing/nodes.ts';
import { createWireWriter } from './wire.ts';

const ids = createPeerIds(10);
const hello = { registryPort: 5000, zone: '', incarnation: 1, version: '', endpoints: [] };
const isUnreachable = (thrown: unknown): boolean => errorCodeOf(thrown) === 'MEMBER_UNREACHABLE';

/** A stream that greets, and breaks when it is written to again: it tells of its end first, and throws then, as libp2p's do. */
function breakingStream() {
  const events = new EventTarget();
  const state = { sends: 0 };
  const greeting = createWireWriter()
    .bytes(0, encodeRecordsMessage({ type: 'hello', hello }, ids))
    .finish();
  return Object.assign(events, {
    send: (): boolean => {
      state.sends += 1;
      if (state.sends === 1) {
        events.dispatchEvent(Object.assign(new Event('message'), { data: greeting.subarray(1) }));
        return true;
      }
      events.dispatchEvent(new Event('close'));
      throw new Error('the muxer is closed');
    },
    close: () => Promise.resolve(),
    abort: () => undefined,
  });
}

test('records channel: a stream that breaks while it is written to fails the request, and nothing else', async () => {
  const connection = { newStream: () => Promise.resolve(breakingStream()) } as unknown as Connection;
  const options = { hello, messageMaxBytes: 1_000, halfMessages: createHalfMessages(1_000), silenceMaxUs: 1_000_000 };
  const channel = await openRecordsChannel({ clock: createVirtualClock(), ids }, connection, options, neverAborted());
  // A rejection that nobody handles would end the process, and fails this test.
  await assert.rejects(channel.request({ type: 'members-wanted' }, neverAborted()), isUnreachable);
  assert.equal(channel.isOpen(), false);
});
