import type { Writable } from 'node:stream';

/** What a command prints on: lines, and one line of progress that is rewritten where that is possible. */
export interface Terminal {
  line(text?: string): void;
  /** Shows progress; on anything but a terminal nothing. Ended by the next line. */
  progress(text: string): void;
  /** Takes the progress away: somebody else is about to print. */
  clear(): void;
}

export function createTerminal(stream: Writable & { readonly isTTY?: boolean; readonly columns?: number }): Terminal {
  const state = { progressing: false };
  const clear = (): void => {
    if (state.progressing) stream.write('\r\u001b[K');
    state.progressing = false;
  };
  return {
    line: (text = '') => {
      clear();
      stream.write(`${text}\n`);
    },
    progress: (text) => {
      if (stream.isTTY !== true) return;
      clear();
      stream.write(text.slice(0, (stream.columns ?? 80) - 1));
      state.progressing = true;
    },
    clear,
  };
}

/** `1.5 MiB`; exact below 1 KiB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1] ?? ''}`;
}

/** `0.42 s`, `12 ms`. */
export function formatDuration(ms: number): string {
  return ms < 100 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** A bar of `width` characters, filled by the share done. */
export function formatBar(done: number, total: number, width: number): string {
  const filled = total === 0 ? width : Math.min(width, Math.floor((done / total) * width));
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
}
