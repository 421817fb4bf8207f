import type { SimEvent } from '../run/trace.ts';
import type { World } from '../run/world.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { answersAreAllowed } from './answer-oracles.ts';
import { bytesAreTheContents, endsAreHonest, rangesAreExact } from './body-oracles.ts';
import { bodiesGoOn, heldIsServed, peersSuffice } from './holder-oracles.ts';
import {
  absentIsNotNamed,
  freeSlotsAreGiven,
  slowReadersBlameNobody,
  standingStillBlamesNobody,
  theDeadAreForgotten,
  uploadsAreBounded,
} from './member-oracles.ts';
import { exchangesAreBounded, peerBytesAreBounded, timersAreBounded } from './limit-oracles.ts';
import { coreRecovers, nothingIsHeld } from './liveness-oracles.ts';
import { missesAreFast } from './miss-oracles.ts';
import type { Oracle, OracleFactory, Violation } from './oracle.ts';
import {
  attemptsAreBounded,
  headsAreBounded,
  nobodyIsSlandered,
  nothingIsForwarded,
  stallsAreBorneOnce,
  storiesAddUp,
} from './pull-oracles.ts';
import { filteredIsNotAsked, onlyHoldersAreAsked } from './record-oracles.ts';
import { heldIsKnown, recordsAreTrue } from './router-oracles.ts';
import { filteredIsLeftAlone, storiesEnd } from './story-oracles.ts';
import { Seen } from './seen.ts';
import { tagsAreFresh } from './tag-oracles.ts';
import { nobodyHangs, nothingIsLeft, pullsEnd, pullsSucceed } from './world-oracles.ts';

/** Every law by its name. */
export const oracles = {
  bytesAreTheContents,
  endsAreHonest,
  rangesAreExact,
  answersAreAllowed,
  nothingIsForwarded,
  attemptsAreBounded,
  stallsAreBorneOnce,
  headsAreBounded,
  missesAreFast,
  storiesAddUp,
  nobodyIsSlandered,
  storiesEnd,
  filteredIsLeftAlone,
  filteredIsNotAsked,
  onlyHoldersAreAsked,
  recordsAreTrue,
  heldIsKnown,
  absentIsNotNamed,
  theDeadAreForgotten,
  uploadsAreBounded,
  freeSlotsAreGiven,
  exchangesAreBounded,
  timersAreBounded,
  peerBytesAreBounded,
  tagsAreFresh,
  slowReadersBlameNobody,
  standingStillBlamesNobody,
  heldIsServed,
  pullsSucceed,
  peersSuffice,
  bodiesGoOn,
  nobodyHangs,
  pullsEnd,
  coreRecovers,
  nothingIsLeft,
  nothingIsHeld,
} as const satisfies Readonly<Record<string, OracleFactory>>;

export interface Watching {
  readonly violations: readonly Violation[];
  /** After the run: what is still broken. All mirrors let go of everything. */
  end(): Promise<void>;
}

type Tell = (event: SimEvent) => void;

/** Whom each kind of event is told, in the order of the oracles. */
function handlersByType(watching: readonly Oracle[]): Readonly<Record<SimEvent['type'], readonly Tell[]>> {
  const of = (type: SimEvent['type']): readonly Tell[] =>
    watching.flatMap((oracle) => {
      // Only told of its own kind.
      const handler = oracle.on?.[type] as Tell | undefined;
      const all = oracle.onEvent?.bind(oracle);
      return [handler, all].filter((tell) => tell !== undefined);
    });
  return {
    request: of('request'),
    head: of('head'),
    bytes: of('bytes'),
    'exchange-end': of('exchange-end'),
    'pull-begin': of('pull-begin'),
    'pull-end': of('pull-end'),
    'mirror-pull': of('mirror-pull'),
    'mirror-node': of('mirror-node'),
    probe: of('probe'),
    fault: of('fault'),
  };
}

/** What was let go of ends by then: promises settle, no more. */
const momentUs = 1_000;

/** Has these oracles watch a world. The first violation stops the run. */
export function watchWith(chosen: Readonly<Record<string, OracleFactory>>, world: World, scenario: Scenario): Watching {
  const { kernel, trace } = world;
  const violations: Violation[] = [];
  const seen = new Seen(world);
  const watching: Oracle[] = Object.entries(chosen).map(([oracle, create]) =>
    create({
      world,
      scenario,
      seen,
      violate: (message) => {
        violations.push({ oracle, atUs: kernel.nowUs(), event: kernel.executed, message });
        kernel.stop();
      },
    }),
  );
  const tellOf = handlersByType(watching);
  if (watching.length > 0) {
    trace.watch((event) => {
      // An oracle that asks a mirror something may make another event happen: afterwards it is this one's turn again.
      const { exchange, pull } = seen;
      seen.update(event);
      for (const tell of tellOf[event.type]) tell(event);
      seen.exchange = exchange;
      seen.pull = pull;
    });
  }
  return {
    violations,
    end: async () => {
      if (violations.length > 0) return;
      for (const oracle of watching) oracle.atEnd?.();
      for (const { mirror } of world.nodes) if (mirror !== undefined && !mirror.party.life.isPaused) mirror.dispose();
      await kernel.run({ untilUs: kernel.nowUs() + momentUs });
      for (const oracle of watching) oracle.atRest?.();
    },
  };
}
