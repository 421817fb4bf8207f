import type { Limits } from '../limits.ts';
import type { Clock, Holder, LookupOutcome, Random, SourceId } from '../ports/index.ts';
import type { PullReport } from '../handlers/pull-report.ts';
import type { FailureMemory } from './failure-memory.ts';
import { compareCandidates } from './source-order.ts';
import type { Candidate } from './source-order.ts';
import { createSourceSet } from './source-set.ts';
import type { Source, SourceSet } from './source-set.ts';
import type { Standing } from './standing.ts';

/** Finds who has a key: the part of the router that the relay needs. */
export interface Lookup {
  /** Passes holders on as they become known; resolves when no more will come. */
  lookup(key: string, onHolders: (holders: readonly Holder[]) => void, signal: AbortSignal): Promise<LookupOutcome>;
}

export interface LiveSourcesInput {
  readonly key: string;
  /** Not to be asked before they have proven that their file is right. */
  readonly suspects: ReadonlySet<SourceId>;
  /** Asks a suspect for its proof, within `selfCheckWaitUs`. */
  prove(source: Source): Promise<boolean>;
  readonly report: PullReport;
  readonly signal: AbortSignal;
}

/** The sources of one request and how they come: a lookup now, another when they run out. */
export interface LiveSources {
  readonly set: SourceSet;
  /** Those that `usable` lets through, best first. */
  ordered(usable: (source: Source) => boolean): readonly Source[];
  /** When the first lookup has ended, however it ended. Never rejects. */
  readonly lookedUp: Promise<void>;
  /** Looks again, unless that was done a moment ago. Whether a lookup is under way now. */
  renew(): boolean;
}

export interface LiveSourcesDeps {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly random: Random;
  readonly lookup: Lookup;
  readonly standing: Standing;
  /** Who has failed lately makes room for others. */
  readonly failures: Pick<FailureMemory, 'failedAt'>;
  readonly zone: string;
}

export function createLiveSources(deps: LiveSourcesDeps, input: LiveSourcesInput): LiveSources {
  const { clock, limits } = deps;
  const set = createSourceSet(limits.sourcesMax, (id) => deps.failures.failedAt(input.key, id) !== undefined);
  const last = { startedUs: -Infinity, running: false };

  const proving = new Set<SourceId>();

  const sourceOf = ({ freeSlots, member, tag }: Holder): Source => {
    return { id: member.id, member, tag, freeSlots, rank: deps.random.below(1 << 30) };
  };
  /** All holders of one answer are there before any of them is asked, so that the best is. */
  const admit = (holders: readonly Holder[]): void => {
    const sources = holders.map(sourceOf);
    set.add(sources.filter(({ id }) => !input.suspects.has(id)));
    for (const source of sources) if (input.suspects.has(source.id)) admitProven(source);
  };
  const admitProven = (suspect: Source): void => {
    if (proving.has(suspect.id)) return;
    proving.add(suspect.id);
    const letGo = set.hold();
    input.prove(suspect).then(
      (honest) => {
        if (honest) set.add([suspect]);
        letGo();
      },
      () => {
        letGo();
      },
    );
  };

  const look = (): Promise<void> => {
    const startedUs = clock.nowUs();
    last.startedUs = startedUs;
    last.running = true;
    const letGo = set.hold();
    const seen = new Set<SourceId>();
    const onHolders = (holders: readonly Holder[]): void => {
      for (const { member } of holders) seen.add(member.id);
      admit(holders);
    };
    const finish = (outcome: LookupOutcome): void => {
      last.running = false;
      input.report.step({ type: 'lookup', sources: seen.size, tookUs: clock.nowUs() - startedUs, outcome });
      letGo();
    };
    return deps.lookup.lookup(input.key, onHolders, input.signal).then(finish, () => {
      last.running = false;
      letGo(); // Cancelled: whoever waits is cancelled too.
    });
  };

  const lookedUp = look();
  return {
    set,
    lookedUp,
    ordered: (usable) =>
      set
        .all()
        .filter(usable)
        .map((source) => ({ source, candidate: candidateOf(deps, source) }))
        .sort((a, b) => compareCandidates(a.candidate, b.candidate))
        .map(({ source }) => source),
    renew: () => {
      if (!last.running && clock.nowUs() - last.startedUs >= limits.relookupDelayUs) void look();
      return last.running;
    },
  };
}

function candidateOf({ limits, standing, zone }: LiveSourcesDeps, source: Source): Candidate {
  const speedBytesPerSecond = standing.speedBytesPerSecond(source.id);
  return {
    sameZone: zone !== '' && source.member.zone === zone,
    // Being near does not make up for a crawl: who was left for it would be taken again at once.
    demoted: standing.isDemoted(source.id) || (speedBytesPerSecond ?? Infinity) < limits.minimumRateBytesPerSecond,
    speedBytesPerSecond,
    freeSlots: source.freeSlots,
    tagAgeUs: source.tag?.ageUs,
    rank: source.rank,
  };
}
