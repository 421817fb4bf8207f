import type { NodeEvent, Observer, PullEvent } from '../../core/index.ts';

/** Keeps what happened, for whoever looks later. */
export interface RecordingObserver extends Observer {
  /** Oldest first. */
  readonly pulls: readonly PullEvent[];
  readonly node: readonly NodeEvent[];
  /** The events of one request. */
  pull(pullId: number): readonly PullEvent[];
  clear(): void;
}

export interface RecordingObserverOptions {
  /** Events kept of each sort; the oldest go first. @default 100,000 */
  readonly eventsMax?: number;
}

export function createRecordingObserver({ eventsMax = 100_000 }: RecordingObserverOptions = {}): RecordingObserver {
  const pulls: PullEvent[] = [];
  const node: NodeEvent[] = [];
  const keep = <T>(events: T[], event: T): void => {
    events.push(event);
    if (events.length > eventsMax) events.shift();
  };
  return {
    pulls,
    node,
    onPull: (event) => {
      keep(pulls, event);
    },
    onNode: (event) => {
      keep(node, event);
    },
    pull: (pullId) => pulls.filter((event) => event.pullId === pullId),
    clear: () => {
      pulls.length = 0;
      node.length = 0;
    },
  };
}
