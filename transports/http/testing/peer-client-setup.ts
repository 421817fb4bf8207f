import assert from 'node:assert/strict';
import { limitsWith } from '../../../core/index.ts';
import type { Body, Limits, Member, PeerResponse } from '../../../core/index.ts';
import { createVirtualClock } from '../../../core/testing/virtual-clock.ts';
import type { VirtualClock } from '../../../core/testing/virtual-clock.ts';
import { createBufferPool } from '../../system/buffer-pool.ts';
import type { BufferPool } from '../../system/buffer-pool.ts';
import { createPeerClient } from '../peer-client.ts';
import type { HttpPeerClient } from '../peer-client.ts';

export interface ClientSetup {
  readonly client: HttpPeerClient;
  readonly clock: VirtualClock;
  readonly buffers: BufferPool;
  get(member: Member, target?: string, signal?: AbortSignal): Promise<PeerResponse>;
  /** Ends the client and checks that it has left nothing behind. */
  end(): void;
}

/** A client with a clock and buffers of its own. */
export function setUpClient(limits: Partial<Limits> = {}, authorization?: string): ClientSetup {
  const clock = createVirtualClock();
  const buffers = createBufferPool(limitsWith(limits));
  const client = createPeerClient({ clock, buffers }, { limits: limitsWith(limits), authorization });
  return {
    client,
    clock,
    buffers,
    get: (member, target = '/v2/x', signal = new AbortController().signal) =>
      client.fetch(member, { method: 'GET', target, headers: {} }, signal),
    end: () => {
      client.close();
      assert.deepEqual([clock.pending(), buffers.pending(), client.idleConnections()], [0, 0, 0]);
    },
  };
}

/** All bytes, copied as they pass. */
export async function readAll(body: Body | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const result = await body?.next();
    if (result === undefined || result.done === true) return Buffer.concat(chunks);
    chunks.push(Buffer.from(result.value as Uint8Array));
  }
}

/** A whole answer as text. */
export function answerText(body: string, ...fields: readonly string[]): string {
  return ['HTTP/1.1 200 OK', `content-length: ${String(body.length)}`, ...fields, '', body].join('\r\n');
}
