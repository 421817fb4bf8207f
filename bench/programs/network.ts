import { execFileSync } from 'node:child_process';
import process from 'node:process';

/** A network of its own, with loopback and one address whose packets can be lost on the way. */
export interface Network {
  readonly namespace: string;
  readonly hosts: { readonly stays: string; readonly goes: string };
  /** From here on nothing that is sent to `goes` arrives, and nobody says so. */
  unplug(): void;
  plugIn(): void;
  remove(): void;
}

const stays = '10.213.0.1';
const goes = '10.213.0.2';

/** Undefined where it takes rights or tools that are not there. */
export function createNetwork(): Network | undefined {
  const namespace = `peili-bench-${process.pid}`;
  const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
  const inside = (...args: readonly string[]): void => {
    ip('-n', namespace, ...args);
  };
  const remove = (): void => {
    try {
      ip('netns', 'del', namespace);
    } catch {
      // It was never there, or somebody was faster.
    }
  };
  try {
    ip('netns', 'add', namespace);
    inside('link', 'set', 'lo', 'up');
    for (const address of [stays, goes]) inside('address', 'add', `${address}/32`, 'dev', 'lo');
    // A pair of interfaces of which nobody owns the far end: what is sent there is gone.
    inside('link', 'add', 'sink', 'type', 'veth', 'peer', 'name', 'nobody');
    for (const name of ['sink', 'nobody']) inside('link', 'set', name, 'up');
    inside('neighbour', 'add', goes, 'lladdr', '02:00:00:00:00:01', 'dev', 'sink');
  } catch {
    remove();
    return undefined;
  }
  const state = { unplugged: false };
  return {
    namespace,
    hosts: { stays, goes },
    unplug: () => {
      state.unplugged = true;
      inside('address', 'del', `${goes}/32`, 'dev', 'lo');
      inside('route', 'add', `${goes}/32`, 'dev', 'sink');
    },
    plugIn: () => {
      if (!state.unplugged) return;
      state.unplugged = false;
      inside('route', 'del', `${goes}/32`, 'dev', 'sink');
      inside('address', 'add', `${goes}/32`, 'dev', 'lo');
    },
    remove,
  };
}
