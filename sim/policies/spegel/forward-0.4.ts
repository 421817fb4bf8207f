import { formatContentRange, parseRange, resolveRange } from '../../../core/index.ts';
import type { Body } from '../../../core/index.ts';
import { empty } from '../../containerd/serve-content.ts';
import type { Party } from '../../network/party.ts';
import { createCopiedBody } from './copied-body.ts';
import { askWithin, isSmall, keyTextOf } from './forward.ts';
import type { Forward, ForwardDeps } from './forward.ts';
import { findProviders } from './lookup.ts';
import { headTimeoutUs, manifestTimeoutUs, resolveTimeoutUs } from './spegel-release.ts';

/** Peers as a lookup of 20 ms brings them, each once. */
function findWithin({ life, lookup }: ForwardDeps, text: string) {
  const found: Party[] = [];
  const state = { isOver: false, wake: (): void => undefined };
  const end = findProviders(
    lookup,
    text,
    (peer) => {
      found.push(peer);
      state.wake();
    },
    () => {
      state.isOver = true;
      state.wake();
    },
  );
  const timer = life.schedule(resolveTimeoutUs, end);
  return {
    next: async (): Promise<Party | undefined> => {
      while (found.length === 0 && !state.isOver) {
        await new Promise<void>((resolve) => {
          state.wake = resolve;
        });
      }
      return found.shift();
    },
    end: (): void => {
      timer.cancel();
      end();
    },
  };
}

/** v0.4: one peer after the other, a blob by HEAD and then GET. What goes on after an error begins at the first byte again: whoever is asked is asked for all. */
export function createForward04(deps: ForwardDeps): Forward {
  return async (asked, request, signal) => {
    const peers = findWithin(deps, keyTextOf(asked));
    const isBlobBody = !isSmall(asked, request);
    const boundUs = request.method === 'HEAD' || isBlobBody ? headTimeoutUs : manifestTimeoutUs;
    const { range, ...plain } = request.headers;
    const first = isBlobBody ? { ...request, method: 'HEAD', headers: plain } : request;
    for (let peer = await peers.next(); peer !== undefined; peer = await peers.next()) {
      const answer = await askWithin(deps, boundUs, peer, first, signal);
      if (answer === undefined) continue;
      if (!isBlobBody) {
        peers.end();
        return answer;
      }
      const sizeBytes = Number(answer.headers['content-length']);
      const part = resolveRange(parseRange(range), sizeBytes, { mirrored: true });
      if (part.type === 'unsatisfiable') continue;
      const [start, end] = part.type === 'part' ? [part.start, part.end] : [0, sizeBytes];
      let isFirst = true;
      const next = async (): Promise<Body | undefined> => {
        for (;;) {
          const candidate = isFirst ? peer : await peers.next();
          isFirst = false;
          if (candidate === undefined) return undefined;
          const got = await askWithin(deps, Infinity, candidate, request, signal);
          if (got?.body !== undefined) return got.body;
        }
      };
      const contentRange =
        part.type === 'part' ? { 'content-range': formatContentRange({ type: 'part', start, end, sizeBytes }) } : {};
      const headers = { ...answer.headers, 'content-length': String(end - start), ...contentRange };
      const body = createCopiedBody(undefined, end - start, next, () => {
        peers.end();
      });
      return { status: part.type === 'part' ? 206 : 200, headers, body };
    }
    peers.end();
    return empty(404);
  };
}
