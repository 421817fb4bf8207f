import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { peerClientSuite } from '../../core/conformance/index.ts';
import type { PeerClientSubject, PeerScript } from '../../core/conformance/index.ts';
import { defaultLimits } from '../../core/index.ts';
import type { PeerRequest } from '../../core/index.ts';
import { createBufferPool } from '../system/buffer-pool.ts';
import { createSystemClock } from '../system/clock.ts';
import { createPeerClient } from './peer-client.ts';
import { memberAt, scriptedPeer } from './testing/loopback.ts';
import { vanishedPeer } from './testing/vanished-peer.ts';

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

function requestOf(head: string): PeerRequest {
  const [first = '', ...lines] = head.trimEnd().split('\r\n');
  const [method, target = ''] = first.split(' ');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { method: method === 'HEAD' ? 'HEAD' : 'GET', target, headers: Object.fromEntries(headers) };
}

/** Plays the script on one connection, each piece a write of its own. */
async function play(socket: Socket, { status, headers, chunks, fault }: PeerScript, method: string): Promise<void> {
  if (fault?.type === 'silent') return;
  if (fault?.type === 'hang-up') {
    socket.end();
    return;
  }
  if (fault?.type === 'garbage') {
    socket.write('220 mail.example ESMTP\r\n');
    return;
  }
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`HTTP/1.1 ${String(status)} Scripted\r\n${fields}\r\n`);
  if (method === 'HEAD') return;
  let leftBytes = fault === undefined ? Infinity : fault.atByte;
  for (const chunk of chunks) {
    const piece = chunk.subarray(0, Math.min(chunk.byteLength, leftBytes));
    leftBytes -= piece.byteLength;
    if (piece.byteLength > 0) await new Promise((resolve) => socket.write(piece, resolve));
  }
  if (fault?.type === 'cut') socket.end();
}

async function subject(): Promise<PeerClientSubject> {
  const clock = createSystemClock();
  const buffers = createBufferPool(defaultLimits);
  const client = createPeerClient({ clock, buffers }, { limits: defaultLimits });
  const peers: { close(): Promise<void>; sockets?: ReadonlySet<Socket> }[] = [];
  const openSockets = (): number => peers.reduce((sum, { sockets }) => sum + (sockets?.size ?? 0), 0);
  return {
    client,
    peer: async (script) => {
      const requests: PeerRequest[] = [];
      const peer = await scriptedPeer((socket, head) => {
        const request = requestOf(head);
        requests.push(request);
        void play(socket, script, request.method);
      });
      peers.push(peer);
      return { member: memberAt(peer.port), requests: () => requests };
    },
    refusing: async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      return memberAt(port);
    },
    vanished: async () => {
      const peer = await vanishedPeer();
      peers.push(peer);
      return memberAt(peer.port);
    },
    // Connections that are kept, and their one timer, are no leftovers.
    pending: () => buffers.pending() + (openSockets() - client.idleConnections()) + Math.max(0, clock.pending() - 1),
    close: async () => {
      client.close();
      for (const peer of peers) await peer.close();
    },
  };
}

peerClientSuite({
  test,
  assert,
  pause,
  manifest: {
    name: 'HTTP',
    supports: { garbage: true, 'black-hole': true, refusing: true, 'repeated-headers': true },
  },
  factory: subject,
});
