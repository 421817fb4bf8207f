import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { PeiliError, reasonOf } from '../../core/index.ts';
import type { Clock, Limits, NodeEvent, Timer } from '../../core/index.ts';
import { cleanHosts } from './clean-hosts.ts';
import { applyPlan } from './configure-hosts.ts';
import { createHostsFiles } from './hosts-files.ts';
import { planHosts } from './hosts-plan.ts';
import type { HostsPlan } from './hosts-plan.ts';
import { cleanupName, readState } from './hosts-state.ts';
import type { HostsState } from './hosts-state.ts';
import { readTree } from './hosts-tree.ts';
import { createHostsWatch } from './hosts-watch.ts';
import { backupDirectory } from './registry-directory.ts';

export interface HostsKeeperDeps {
  readonly clock: Clock;
  readonly onNode: (event: NodeEvent) => void;
  /** What containerd reads has changed: mended, configured otherwise, or cleaned. */
  readonly onChanged?: () => void;
}

export interface HostsKeeperOptions {
  /** The directory that containerd's `config_path` names; that it is not there, or was never configured, is fine. */
  readonly configPath: string;
  /** The Authorization field that this node's mirror asks for. */
  readonly authorization?: string | undefined;
  readonly limits: Limits;
}

export interface HostsKeeper {
  /** Looks no more; a mend under way ends first. Idempotent. */
  close(): Promise<void>;
}

interface Memory {
  /** What this node was configured to have; undefined: nothing is to be kept. */
  told: HostsState | undefined;
  /** Everything was gone at the last look, and nobody said that this was meant. */
  vanished: boolean;
  /** When files were last mended, or could not be. */
  triedAtUs: number;
}

/**
 * Notices when what `configureHosts` wrote vanishes or changes, and mends it: what others wrote meanwhile is kept, behind the mirrors or put aside, as was
 * configured. Needs no options of the configuration, which left them where its files are. Ends when a cleanup begins, and goes on when a new configuration comes.
 */
export function keepHosts({ clock, onNode, onChanged }: HostsKeeperDeps, options: HostsKeeperOptions): HostsKeeper {
  const { limits } = options;
  const memory: Memory = { told: undefined, vanished: false, triedAtUs: -Infinity };
  /** What was to be kept at the last look; undefined before the first. */
  let before: string | undefined;
  const life = { closed: false, running: Promise.resolve() };
  let next: { readonly timer: Timer; readonly atUs: number } | undefined;
  const lookWithin = (delayUs: number): void => {
    const atUs = clock.nowUs() + delayUs;
    if (life.closed || (next !== undefined && next.atUs <= atUs)) return;
    next?.timer.cancel();
    const timer = clock.schedule(delayUs, () => {
      next = undefined;
      life.running = life.running.then(look);
    });
    next = { timer, atUs };
  };
  const watch = createHostsWatch((name) => {
    // It may be gone before anybody looks.
    if (name === cleanupName) memory.told = undefined;
    lookWithin(limits.hostsMendDelayUs);
  });
  const look = async (): Promise<void> => {
    if (life.closed) return;
    // Two writers that undo each other's work do so at this pace, and so does one whose failing writes are seen as changes.
    const restUs = memory.triedAtUs + limits.hostsMendIntervalUs - clock.nowUs();
    if (restUs > 0) {
      lookWithin(restUs);
      return;
    }
    try {
      const paths = await lookOnce(options, memory, watch, onNode);
      if (paths.length > 0) {
        memory.triedAtUs = clock.nowUs();
        onNode({ type: 'hosts-mended', paths });
      }
      const now = JSON.stringify(memory.told ?? null);
      if (paths.length > 0 || (before !== undefined && before !== now)) onChanged?.();
      before = now;
    } catch (error) {
      memory.triedAtUs = clock.nowUs();
      onNode({ type: 'hosts-failed', reason: error instanceof PeiliError ? error.message : reasonOf(error) });
    }
    lookWithin(memory.vanished ? limits.hostsMendDelayUs : limits.hostsLookIntervalUs);
  };
  lookWithin(0);
  return {
    close: async () => {
      life.closed = true;
      next?.timer.cancel();
      watch.close();
      await life.running;
    },
  };
}

/** What was mended. */
async function lookOnce(
  options: HostsKeeperOptions,
  memory: Memory,
  watch: ReturnType<typeof createHostsWatch>,
  onNode: HostsKeeperDeps['onNode'],
): Promise<readonly string[]> {
  const root = await realpath(options.configPath).catch(() => undefined);
  if (root === undefined) return [];
  const state = await stateToKeep(root, memory, watch);
  await watch.renew([root, ...[backupDirectory, ...(state?.directories ?? [])].map((name) => join(root, name))]);
  if (state === undefined) return [];
  const { authorization } = options;
  const plan = planHosts({ ...state, root, authorization }, state, await readTree(root));
  for (const refusal of plan.refusals) onNode({ type: 'hosts-failed', reason: refusal.message });
  if (!hasWork(plan) && !memory.vanished) return [];
  const { written } = await applyPlan(createHostsFiles({ root }), plan, authorization !== undefined);
  memory.vanished = false;
  const after = await readState(root);
  // A cleanup came in between, and cannot have seen all of it.
  if (after.cleaning || after.state === undefined) await cleanHosts({}, { configPath: root });
  return written.map(({ path }) => path);
}

/**
 * Undefined: nothing is to be kept, or not yet. A cleanup renames the state before it removes it, which is seen; where everything is gone without that,
 * somebody emptied the directory, and what is remembered holds. To be sure of what was seen, this is believed at the second look.
 */
async function stateToKeep(
  root: string,
  memory: Memory,
  watch: ReturnType<typeof createHostsWatch>,
): Promise<HostsState | undefined> {
  const { state, cleaning } = await readState(root);
  if (state !== undefined && !cleaning) {
    memory.told = state;
    memory.vanished = false;
    return state;
  }
  const isSeen = memory.vanished || watch.sees(join(root, backupDirectory));
  if (cleaning || !isSeen) memory.told = undefined;
  if (memory.told === undefined) {
    memory.vanished = false;
    return undefined;
  }
  if (memory.vanished) return memory.told;
  memory.vanished = true;
  return undefined;
}

function hasWork({ directories, stale }: HostsPlan): boolean {
  return (
    stale.length > 0 || directories.some(({ make, save, write }) => make || save !== undefined || write !== undefined)
  );
}
