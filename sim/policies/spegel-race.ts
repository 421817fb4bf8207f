import { abortedError, onAbort, PeiliError } from '../../core/index.ts';
import type { Life } from '../kernel/life.ts';
import type { ExchangeAnswer } from '../network/exchange.ts';
import type { Party } from '../network/party.ts';
import { acquire, release, remove } from './spegel-peers.ts';
import type { SpegelPeers } from './spegel-peers.ts';

/** Without a request under way a free peer is waited for so long (`--mirror-resolve-timeout`). */
const idleUs = 20_000;
/** With one, so long for its head; then all is given up. */
const raceUs = 100_000;
/** When further peers are asked in parallel. */
const hedgesUs = [50_000, 55_000, 60_000] as const;

export interface RaceDeps {
  readonly life: Life;
  readonly ask: (peer: Party, signal: AbortSignal) => Promise<ExchangeAnswer>;
}

export interface RaceWinner {
  readonly answer: ExchangeAnswer;
  /** Ends its body. */
  readonly abort: () => void;
}

/** v0.7's race for a head: exclusive peers, hedges, and two ways to give up (`registry.go`, `raceFetch`). Undefined: given up. */
export function raceFetch(
  { ask, life }: RaceDeps,
  peers: SpegelPeers,
  signal: AbortSignal,
): Promise<RaceWinner | undefined> {
  return new Promise((resolve) => {
    const running = new Map<Party, AbortController>();
    const state = { isOver: false, allowed: 1, isRacing: false };
    const timers = hedgesUs.map((delayUs) =>
      life.schedule(delayUs, () => {
        state.allowed += 1;
        step();
      }),
    );
    let idle = life.schedule(idleUs, () => {
      settle(undefined);
    });
    const settle = (winner: RaceWinner | undefined): void => {
      if (state.isOver) return;
      state.isOver = true;
      peers.watchers.delete(step);
      unhook();
      for (const timer of [...timers, idle]) timer.cancel();
      for (const controller of running.values()) controller.abort(abortedError());
      resolve(winner);
    };
    const start = (peer: Party): void => {
      const controller = new AbortController();
      running.set(peer, controller);
      idle.cancel();
      if (!state.isRacing)
        timers.push(
          life.schedule(raceUs, () => {
            settle(undefined);
          }),
        );
      state.isRacing = true;
      ask(peer, controller.signal).then(
        (answer) => {
          running.delete(peer);
          if (answer.status >= 300) failed(peer, answer);
          else {
            release(peers, peer);
            if (state.isOver) void answer.body?.return();
            settle({
              answer,
              abort: () => {
                controller.abort(abortedError());
              },
            });
          }
        },
        (cause: unknown) => {
          running.delete(peer);
          if (cause instanceof PeiliError && cause.code === 'ABORTED') release(peers, peer);
          else failed(peer, undefined);
        },
      );
    };
    const failed = (peer: Party, answer: ExchangeAnswer | undefined): void => {
      void answer?.body?.return();
      remove(peers, peer);
      if (state.isOver) return;
      state.allowed += 1;
      if (running.size === 0)
        idle = life.schedule(idleUs, () => {
          settle(undefined);
        });
      step();
    };
    const step = (): void => {
      if (state.isOver) return;
      if (running.size === 0 && !peers.isLooking && peers.peers.length === 0) {
        settle(undefined);
        return;
      }
      while (state.allowed > 0) {
        const peer = acquire(peers);
        if (peer === undefined) return;
        state.allowed -= 1;
        start(peer);
      }
    };
    const unhook = onAbort(signal, () => {
      settle(undefined);
    });
    peers.watchers.add(step);
    step();
  });
}
