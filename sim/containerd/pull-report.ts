import type { ContainerdOptions } from './containerd-options.ts';
import type { Ingest } from './ingests.ts';
import type { ProgressTimer } from './progress-timer.ts';
import type { RequestWatch } from './registry-client.ts';

/** What the timer of a pull is told. Which of it counts depends on who pulls: the transfer service looks at the store, the older client at its requests. */
export class PullReport implements RequestWatch {
  readonly #timer: ProgressTimer;
  readonly #pullBy: ContainerdOptions['pullBy'];
  /** What has been seen of each ingest that grows. */
  readonly #seen = new Map<Ingest, number>();

  constructor(timer: ProgressTimer, pullBy: ContainerdOptions['pullBy']) {
    this.#timer = timer;
    this.#pullBy = pullBy;
  }

  onBegin(): void {
    if (this.#pullBy === 'local') this.#timer.active += 1;
  }

  onEnd(): void {
    if (this.#pullBy === 'local') this.#timer.active -= 1;
  }

  grew(ingest: Ingest, bytes: number): void {
    if (this.#pullBy === 'local') {
      this.#timer.bytes += bytes;
      return;
    }
    const before = this.#seen.get(ingest) ?? 0;
    const { visibleBytes } = ingest;
    if (visibleBytes === before) return;
    // Before its first step is written, a blob is no activity: if it stands still there, no timer runs.
    if (before === 0) this.#timer.active += 1;
    this.#timer.bytes += visibleBytes - before;
    this.#seen.set(ingest, visibleBytes);
  }

  done(ingest: Ingest): void {
    if (this.#seen.delete(ingest)) this.#timer.active -= 1;
  }
}
