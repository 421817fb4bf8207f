import type { Limits } from '../../core/index.ts';
import { faultTable } from '../faults/fault-table.ts';
import { isOwnMirrors, SeenExchanges } from './exchanges.ts';
import { isTagForged, liarsOf } from './lies.ts';
import type { OracleFactory } from './oracle.ts';
import { nodeNameOf } from '../scenario/node-names.ts';

/** S8: a pull that the upstream could serve never fails, unless by bytes of a source that was made to lie. */
export const pullsSucceed: OracleFactory = ({ scenario, violate }) => {
  const isUpstreamWell = scenario.faults.every(({ target }) => target !== 'upstream');
  const isLying = liarsOf(scenario).size > 0;
  const wasCutOff = (name: string): boolean =>
    scenario.faults.some(({ target, what }) => faultTable[what.kind].cutsOff && name === nodeNameOf(scenario, target));
  return {
    onEvent: (event) => {
      if (event.type !== 'pull-end' || event.outcome === 'ok' || !isUpstreamWell) return;
      if (isLying && (event.outcome === 'wrong-digest' || event.outcome === 'reset')) return;
      if (wasCutOff(event.node) || isTagForged(scenario)) return;
      violate(`the pull of ${event.node} failed (${event.outcome}), and the upstream was well`);
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
export const nobodyHangs: OracleFactory = ({ violate, world }) => {
  const exchanges = new SeenExchanges(world);
  const boundUs = silenceBoundUs(world.limits);
  const check = (atUs: number): void => {
    for (const seen of exchanges.open()) {
      if (!isOwnMirrors(seen) || atUs - seen.lastUs <= boundUs || seen.isHanging === true) continue;
      const node = world.nodes.find(({ host }) => host === seen.from.host);
      if (node?.hasStoodStill === true) continue;
      seen.isHanging = true;
      violate(`${seen.target} at ${seen.to.host.name}: nothing for ${atUs - seen.lastUs} us, at most ${boundUs}`);
    }
  };
  const state = { nextUs: 0 };
  return {
    onEvent: (event) => {
      exchanges.update(event);
      if (event.atUs < state.nextUs) return;
      state.nextUs = event.atUs + boundUs / 8;
      check(event.atUs);
    },
    atEnd: () => {
      check(world.kernel.nowUs());
    },
  };
};

/** Every pull ends: with a healthy upstream, and all faults over, before the time is up. */
export const pullsEnd: OracleFactory = ({ scenario, violate }) => {
  const open = new Set<number>();
  const canEnd = scenario.faults.every(
    ({ target, untilUs, what }) => untilUs !== undefined || (target !== 'upstream' && !faultTable[what.kind].blocks),
  );
  return {
    onEvent: (event) => {
      if (event.type === 'pull-begin') open.add(event.pull);
      if (event.type === 'pull-end') open.delete(event.pull);
    },
    atEnd: () => {
      if (open.size > 0 && canEnd) violate(`${open.size} pulls have not ended, and nothing is in their way`);
    },
  };
};

/** S10: at rest, when all pulls have ended, nothing is left of exchanges, and of a mirror that was let go no timer. */
export const nothingIsLeft: OracleFactory = ({ violate, world }) => {
  const open = new Set<number>();
  return {
    onEvent: (event) => {
      if (event.type === 'pull-begin') open.add(event.pull);
      if (event.type === 'pull-end') open.delete(event.pull);
    },
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
