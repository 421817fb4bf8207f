import type { Limits } from '../../core/index.ts';
import { faultTable } from '../faults/fault-table.ts';
import { isTagForged, liarsOf } from './lies.ts';
import type { EventHandlers, OracleFactory } from './oracle.ts';
import { nodeNameOf } from '../scenario/node-names.ts';

/** S8: a pull that the upstream could serve never fails, unless by bytes of a source that was made to lie. */
export const pullsSucceed: OracleFactory = ({ scenario, violate }) => {
  const isUpstreamWell = scenario.faults.every(({ target }) => target !== 'upstream');
  const isLying = liarsOf(scenario).size > 0;
  // Or whose own node stands still, or crawls, for good.
  const wasCutOff = (name: string): boolean =>
    scenario.faults.some(({ target, untilUs, what }) => {
      const { blocks, cutsOff } = faultTable[what.kind];
      return (cutsOff || (blocks && untilUs === undefined)) && name === nodeNameOf(scenario, target);
    });
  return {
    on: {
      'pull-end': ({ node, outcome }) => {
        if (outcome === 'ok' || !isUpstreamWell) return;
        if (isLying && (outcome === 'wrong-digest' || outcome === 'reset')) return;
        if (wasCutOff(node) || isTagForged(scenario)) return;
        // One error in one of its parallel ranges, and containerd gives up all of them: a part whose only holder fails has nowhere to go on.
        if (outcome === 'parts-failed' && scenario.faults.length > 0) return;
        // Who remembers next to nothing goes back and forth between two that stand still.
        if (outcome === 'no-progress' && scenario.limits?.failureMemoryMax !== undefined) return;
        violate(`the pull of ${node} failed (${outcome}), and the upstream was well`);
      },
    },
  };
};

export function silenceBoundUs(limits: Limits): number {
  const { attemptsMax, lookupTimeoutUs, manifestTimeoutUs, selfCheckWaitUs, stallTimeoutUs } = limits;
  return stallTimeoutUs + attemptsMax * manifestTimeoutUs + 2 * lookupTimeoutUs + selfCheckWaitUs;
}

/**
 * L3: who asks its own mirror is never left without an answer or bytes for longer than the sum of what may be waited for: a stall, and then heads of other
 * sources. Mirrors that stand still are the watchdog's.
 */
export const nobodyHangs: OracleFactory = ({ scenario, seen, violate, world }) => {
  const told = new Set<number>();
  const boundUs = silenceBoundUs(world.limits);
  // Whose clients read slowly: between two bytes of theirs it is they who are waited for.
  const slowReaders = new Set(
    (scenario.asks ?? [])
      .filter(({ bytesPerSecond }) => bytesPerSecond !== undefined)
      .map(({ node }) => nodeNameOf(scenario, node)),
  );
  const check = (atUs: number): void => {
    for (const { bytes, id, isOwnMirrors, lastUs, node, target, to } of seen.openExchanges()) {
      if (!isOwnMirrors || atUs - lastUs <= boundUs || node?.hasStoodStill === true || told.has(id)) continue;
      if (bytes > 0 && slowReaders.has(to.host.name)) continue;
      told.add(id);
      violate(`${target} at ${to.host.name}: nothing for ${atUs - lastUs} us, at most ${boundUs}`);
    }
  };
  const state = { nextUs: 0 };
  return {
    onEvent: ({ atUs }) => {
      if (atUs < state.nextUs) return;
      state.nextUs = atUs + boundUs / 8;
      check(atUs);
    },
    atEnd: () => {
      check(world.kernel.nowUs());
    },
  };
};

/** Keeps the numbers of the pulls that have not ended. */
function openPulls(open: Set<number>): EventHandlers {
  return {
    'pull-begin': ({ pull }) => {
      open.add(pull);
    },
    'pull-end': ({ pull }) => {
      open.delete(pull);
    },
  };
}

/** Every pull ends: with a healthy upstream, and all faults over, before the time is up. */
export const pullsEnd: OracleFactory = ({ scenario, violate }) => {
  const open = new Set<number>();
  const canEnd = scenario.faults.every(
    ({ target, untilUs, what }) => untilUs !== undefined || (target !== 'upstream' && !faultTable[what.kind].blocks),
  );
  return {
    on: openPulls(open),
    atEnd: () => {
      if (open.size > 0 && canEnd)
        violate(`${open.size} pulls have not ended, and nothing is in their way but the time: is until too soon?`);
    },
  };
};

/** S10: at rest, when all pulls have ended, nothing is left of exchanges, and of a mirror that was let go no timer. */
export const nothingIsLeft: OracleFactory = ({ violate, world }) => {
  const open = new Set<number>();
  return {
    on: openPulls(open),
    atEnd: () => {
      for (const { from, request, to } of open.size > 0 ? [] : world.wire.open()) {
        if (to.life.isPaused || from.life.isPaused || !to.host.isPlugged || !from.host.isPlugged) continue;
        violate(`an exchange is left at rest: ${from.host.name} asks ${to.host.name} for ${request.target}`);
      }
    },
    atRest: () => {
      for (const { mirror, name } of open.size > 0 ? [] : world.nodes) {
        const life = mirror?.party.life;
        if (life === undefined || life.isOver || life.isPaused || life.pending === 0) continue;
        violate(`${name} has let go of everything, and ${life.pending} of its timers are left`);
      }
    },
  };
};
