import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import { dialMember } from './dial.ts';
import type { Dialled } from './dial.ts';
import { endLater, memberAt, scriptedPeer, until } from './testing/loopback.ts';
import { vanishedPeer } from './testing/vanished-peer.ts';

const limits = { dialTimeoutUs: 1000, dialAddressesMax: 4 };

test('dial: an address that does not answer takes its share of the time, then the next one is dialled', async () => {
  const vanished = await vanishedPeer();
  const peer = await scriptedPeer(() => undefined);
  const clock = createVirtualClock(0);
  const opened: Dialled[] = [];
  const open = (address: string): Dialled => {
    const port = address === '127.0.0.1' ? vanished.port : peer.port;
    const dialled = { socket: connect({ host: '127.0.0.1', port }) };
    endLater(() => dialled.socket.destroy());
    opened.push(dialled);
    return dialled;
  };
  const member = memberAt(1, ['127.0.0.1', '127.0.0.2']);
  const dialling = dialMember({ clock, limits, open }, member, new AbortController().signal);
  await clock.advance(499);
  assert.equal(opened.length, 1);
  await clock.advance(1);
  assert.equal(opened.length, 2);
  assert.equal(await dialling, opened[1]);
  assert.deepEqual([opened[0]?.socket.destroyed, clock.pending()], [true, 0]);
  opened[1]?.socket.destroy();
  await until(() => peer.sockets.size === 0, 'no connection');
  await peer.close();
  await vanished.close();
});

test('dial: all of it takes no longer than its time, and leaves nothing', async () => {
  const vanished = await vanishedPeer();
  const clock = createVirtualClock(0);
  const opened: Dialled[] = [];
  const open = (): Dialled => {
    const dialled = { socket: connect({ host: '127.0.0.1', port: vanished.port }) };
    endLater(() => dialled.socket.destroy());
    opened.push(dialled);
    return dialled;
  };
  const member = memberAt(1, ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']);
  const dialling = dialMember({ clock, limits, open }, member, new AbortController().signal);
  await assert.rejects(clock.settle(dialling), { code: 'DIAL_TIMEOUT' });
  assert.deepEqual([clock.nowUs(), opened.length, clock.pending()], [1000, 4, 0]);
  assert.equal(
    opened.every(({ socket }) => socket.destroyed),
    true,
  );
  await vanished.close();
});
