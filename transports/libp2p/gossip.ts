import type { Clock, Random } from '../../core/index.ts';
import { chooseOne, jittered } from './chance.ts';
import type { MemberTable } from './member-table.ts';
import { createRepeatingTask } from '../system/repeating-task.ts';
import type { RepeatingTask } from '../system/repeating-task.ts';

export interface GossipDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly table: MemberTable;
  /** Asks one member whom it knows. */
  readonly ask: (memberId: string, signal: AbortSignal) => Promise<void>;
}

/** Members tell of members: one is asked soon after the start, when much is new, and then ever less often. */
export function createGossip(
  { clock, random, table, ask }: GossipDeps,
  firstUs: number,
  intervalUs: number,
): Pick<RepeatingTask, 'start' | 'stop'> {
  let delayUs = firstUs;
  const task = createRepeatingTask(clock, async (signal) => {
    const partner = partnerOf(table, random);
    // Nobody answered: another one is asked next time.
    if (partner !== undefined) await ask(partner, signal).catch(() => undefined);
    delayUs = Math.min(delayUs * 2, intervalUs);
    return jittered(delayUs, random);
  });
  return {
    start: () => {
      task.start(jittered(firstUs, random));
    },
    stop: task.stop,
  };
}

/** Connected ones first: a question is cheap there. */
function partnerOf(table: MemberTable, random: Random): string | undefined {
  const met = Array.from(table.all()).filter((entry) => entry.met && entry.failingSinceUs === undefined);
  const connected = met.filter(({ member }) => member.connected);
  return chooseOne(connected.length > 0 ? connected : met, random)?.member.id;
}
