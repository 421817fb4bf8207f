import { openScope, PeiliError, reasonOf, settleOrAbort } from '../../core/index.ts';
import type { Clock, Limits } from '../../core/index.ts';
import { createRepeatingTask } from '../system/repeating-task.ts';
import type { ContainerdApi } from './containerd-api.ts';
import type { StoreTurns } from './store-turns.ts';

/** Keeps the connection to containerd: made again for ever, everything read again each time, since events in between are lost. */
export interface StoreLink {
  start(): void;
  /**
   * Waits for the first attempt, if it is under way: true if it was, and everything has just been read. Rejects with `CONTAINERD_UNREACHABLE` and the
   * reason while there is no connection.
   */
  ready(signal: AbortSignal): Promise<boolean>;
  /** Whether it ever was. */
  wasConnected(): boolean;
  /** What is true of it now, in words. */
  reason(): string;
  close(): void;
}

export interface StoreLinkDeps {
  readonly clock: Clock;
  readonly api: ContainerdApi;
  readonly turns: StoreTurns;
}

export interface StoreLinkOptions {
  readonly limits: Pick<Limits, 'containerdRetryMinUs' | 'containerdRetryMaxUs' | 'storeScanRetryUs'>;
  /** A containerd answers: where its content lies is found out before anything is read. */
  readonly prepare: (signal: AbortSignal) => Promise<void>;
  /** Connected and read, by the how-manieth attempt; or not connected any more, or still not: `reason` says what to do. */
  readonly onState: (connected: boolean, reason: string, attempts: number) => void;
}

export function createStoreLink({ clock, api, turns }: StoreLinkDeps, options: StoreLinkOptions): StoreLink {
  const { limits, prepare, onState } = options;
  const first = Promise.withResolvers<undefined>();
  const state: LinkState = {
    connected: false,
    ever: false,
    isFirstOver: false,
    attempts: 0,
    failures: 0,
    reason: 'not connected yet',
  };

  const connect = async (signal: AbortSignal, onBroken: (error: unknown) => void): Promise<void> => {
    const version = await api.version(signal);
    await prepare(signal);
    turns.resume(signal, onBroken);
    const onEvent: Parameters<ContainerdApi['subscribe']>[0] = ({ subject, id }) => {
      if (subject === 'image') turns.imageChanged(id);
      else turns.contentChanged(id);
    };
    const ended = (): void => {
      onBroken(new PeiliError('CONTAINERD_UNREACHABLE', 'containerd ended its stream of events: it may be restarting'));
    };
    api.subscribe(onEvent, signal).then(ended, onBroken);
    await turns.readAll();
    state.reason = `containerd ${version}`;
    state.connected = true;
    state.ever = true;
    state.failures = 0;
    onState(true, state.reason, state.attempts);
    // Whether the subscription began before or after the list was made is not known.
    turns.somethingChanged(limits.storeScanRetryUs);
  };

  const run = async (signal: AbortSignal): Promise<number> => {
    const life = openScope(signal);
    state.attempts += 1;
    try {
      await new Promise<void>((_resolve, reject) => {
        life.signal.addEventListener('abort', () => {
          reject(life.signal.reason);
        });
        connect(life.signal, reject)
          .catch(reject)
          .finally(() => {
            state.isFirstOver = true;
            first.resolve(undefined);
          });
      });
    } catch (error) {
      if (signal.aborted) return 0;
      state.connected = false;
      state.reason = error instanceof Error ? error.message : reasonOf(error);
      onState(false, state.reason, state.attempts);
    } finally {
      turns.pause();
      life.abort();
      life.close();
    }
    const delayUs = Math.min(
      limits.containerdRetryMinUs * 2 ** Math.min(state.failures, 16),
      limits.containerdRetryMaxUs,
    );
    state.failures += 1;
    return delayUs;
  };
  const task = createRepeatingTask(clock, run);

  return {
    start: () => {
      task.start(0);
    },
    ready: async (signal) => {
      const isFirst = !state.isFirstOver;
      await settleOrAbort(first.promise, signal);
      if (!state.connected) throw new PeiliError('CONTAINERD_UNREACHABLE', state.reason);
      return isFirst;
    },
    wasConnected: () => state.ever,
    reason: () => state.reason,
    close: task.stop,
  };
}

interface LinkState {
  connected: boolean;
  ever: boolean;
  isFirstOver: boolean;
  attempts: number;
  failures: number;
  reason: string;
}
