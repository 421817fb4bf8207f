import { formatRange, onAbort } from '../../../core/index.ts';
import type { Body, RequestText } from '../../../core/index.ts';
import { empty } from '../../containerd/serve-content.ts';
import { createCopiedBody } from './copied-body.ts';
import { isSmall, keyTextOf } from './forward.ts';
import type { Forward, ForwardDeps } from './forward.ts';
import { Hedger } from './hedger.ts';
import { findProviders } from './lookup.ts';
import { PeerIterator } from './peer-iterator.ts';
import { raceFetch } from './race-fetch.ts';
import { cacheUs, refreshUs, resolveRetries, smallTimeoutUs } from './spegel-release.ts';

/** v0.7: races for a head, and goes on at the next byte for as long as there are peers. */
export function createForward07(deps: ForwardDeps): Forward {
  const { kernel, life } = deps;
  const hedger = new Hedger();
  const cache = new Map<string, PeerIterator>();

  /** Undefined: nothing was begun. Returned is what the end of the request that began it ends. */
  const look = (text: string): { readonly peers: PeerIterator; readonly end: () => void } => {
    const nowUs = kernel.nowUs();
    const known = cache.get(text);
    const isKnown = known !== undefined && nowUs - known.createdUs < cacheUs;
    if (isKnown && (nowUs - known.updatedUs < refreshUs || known.count >= resolveRetries))
      return { peers: known, end: () => undefined };
    const peers = isKnown ? known : new PeerIterator(nowUs, deps.random);
    peers.open(nowUs);
    cache.set(text, peers);
    const end = findProviders(
      deps.lookup,
      text,
      (peer) => {
        peers.add(peer);
      },
      () => {
        peers.close();
      },
    );
    return { peers, end };
  };

  return async (asked, request, signal) => {
    const bounded = new AbortController();
    const { peers, end } = look(keyTextOf(asked));
    const isBounded = isSmall(asked, request);
    const timer = isBounded
      ? life.schedule(smallTimeoutUs, () => {
          bounded.abort();
        })
      : undefined;
    const unhook = onAbort(signal, () => {
      bounded.abort(signal.reason);
      end();
    });
    const done = (): void => {
      timer?.cancel();
      unhook();
      end();
    };
    const race = (headers: RequestText['headers']) =>
      raceFetch(
        {
          life,
          hedger,
          nowUs: () => kernel.nowUs(),
          ask: (peer, wanted) => deps.ask(peer, { ...request, headers }, wanted),
        },
        peers,
        bounded.signal,
      );
    const won = await race(request.headers);
    if (won?.body === undefined) {
      done();
      return won === undefined ? empty(404) : { status: won.status, headers: won.headers };
    }
    const { status, headers, body } = won;
    const promised = Number(headers['content-length']);
    const first = Number(/^bytes ([0-9]+)-/.exec(headers['content-range'] ?? '')?.[1] ?? 0);
    const next = async (copied: number): Promise<Body | undefined> => {
      if (isBounded || bounded.signal.aborted) return undefined;
      const again = await race({ ...request.headers, range: formatRange(first + copied, first + promised) });
      return again?.body;
    };
    return { status, headers, body: createCopiedBody(body, promised, next, done) };
  };
}
