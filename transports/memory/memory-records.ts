import { openScope, PeiliError, settleOrAbort, throwIfAborted } from '../../core/index.ts';
import type { Member, Records, RecordsHandler } from '../../core/index.ts';
import type { Links } from './memory-cluster.ts';
import { passLink } from './pass-link.ts';

/** The side of a node's records that others call. */
export interface RecordsService {
  handler(): RecordsHandler | undefined;
}

export function createMemoryRecords(links: Links, self: Member): { records: Records; service: RecordsService } {
  const state: { handler: RecordsHandler | undefined } = { handler: undefined };

  const call = async <T>(
    member: Member,
    signal: AbortSignal,
    work: (handler: RecordsHandler, asker: Member) => T,
  ): Promise<T> => {
    throwIfAborted(signal);
    const end = links.begin();
    const scope = openScope(signal);
    try {
      await settleOrAbort(passLink(links, self.id, member.id, scope.signal), scope.signal).catch((error: unknown) => {
        throwIfAborted(signal);
        throw unreachable(member, error);
      });
      const handler = links.seat(member.id)?.records.handler();
      if (handler === undefined) throw unreachable(member);
      return work(handler, self);
    } finally {
      scope.abort();
      scope.close();
      end();
    }
  };

  const records: Records = {
    send: (member, batch, signal) =>
      call(member, signal, (handler, sender) => {
        handler.onBatch(sender, batch);
      }),
    lookup: (member, key, signal) => call(member, signal, (handler, asker) => handler.onLookup(asker, key)),
    isConnected: ({ id }) => links.seat(id)?.records.handler() !== undefined,
    serve: (handler) => {
      state.handler = handler;
      return () => {
        if (state.handler === handler) state.handler = undefined;
      };
    },
  };
  return { records, service: { handler: () => state.handler } };
}

function unreachable(member: Member, cause?: unknown): PeiliError {
  return new PeiliError('MEMBER_UNREACHABLE', 'the member cannot be reached', { member: member.id }, cause);
}
