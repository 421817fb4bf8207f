import * as v from 'valibot';
import { defaultLimits } from '../../core/index.ts';
import type { Limits } from '../../core/index.ts';
import { faultTable } from '../faults/fault-table.ts';
import type { Fault, FaultKind } from '../faults/fault.ts';
import type { FaultParts } from './fault-text.ts';
import { clusterOf, nodesOf } from './read-cluster.ts';
import { selectNodes } from './node-selection.ts';
import type { NodeNames } from './node-selection.ts';
import type { Expectation, FigureName, Plan } from './plan.ts';
import { didYouMean, ScenarioError, sayValue } from './scenario-error.ts';
import type { ScenarioPath } from './scenario-error.ts';
import { scenarioSchema } from './scenario-schema.ts';
import type { ScenarioParts, ScenarioText } from './scenario-schema.ts';
import type { ImageSpec, MirrorSpec, Scenario } from './scenario.ts';
import { parseDurationUs, parseRateBytesPerSecond, parseSizeBytes } from './units.ts';
import type { TraceWorkload } from '../traces/trace-workload.ts';
import { tracesBy } from './trace-text.ts';
import type { ReadTrace, ReadTraces } from './trace-text.ts';
import { planWork } from './workload.ts';

export interface ReadScenarioOptions {
  /** Gives the text of a trace that the workload names. @default there are no traces */
  readonly readTrace?: ReadTrace;
}

/**
 * A plan from what people write: quantities with their units, nodes by name. The same text in YAML (`parseScenario`) and as a value is the same plan.
 *
 * @example
 * const { scenario } = readScenario({
 *   cluster: { nodes: 100, up: '10Gbit/s' },
 *   images: [{ name: 'docker.io/library/app:1', layers: '10 x 50MB' }],
 *   workload: [{ pull: 'docker.io/library/app:1' }],
 * });
 */
export function readScenario(value: ScenarioText, options: ReadScenarioOptions = {}): Plan {
  return readUnknown(value, options);
}

/** The same for what may be anything. Throws a `ScenarioError`. */
export function readUnknown(value: unknown, { readTrace }: ReadScenarioOptions = {}): Plan {
  const parsed = v.safeParse(scenarioSchema, value, { abortEarly: true, abortPipeEarly: true });
  if (!parsed.success) throw errorOf(parsed.issues[0]);
  return planOf(parsed.output, tracesBy(readTrace));
}

function errorOf(issue: v.BaseIssue<unknown>): ScenarioError {
  const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  return new ScenarioError(path, issue.message);
}

function planOf(parts: ScenarioParts, traces: ReadTraces): Plan {
  const traced = parts.workload.flatMap((part, index) =>
    part.work === 'traces' ? [traces(part.trace, ['workload', index, 'trace'])] : [],
  );
  const nodes = nodesOf(parts.cluster, traced);
  const images = allImages(parts, traced);
  const work = planWork(parts.workload, { nodes, images, traces });
  const lastUs = traced.length === 0 ? 0 : work.workload.reduce((last, { atUs }) => Math.max(last, atUs), 0);
  const scenario: Scenario = {
    name: parts.name,
    shows: parts.shows,
    cluster: clusterOf(parts.cluster, nodes),
    upstream: parts.upstream,
    images,
    ...work,
    faults: parts.faults.flatMap((fault, index) => faultsOf(fault, nodes, ['faults', index])),
    ...mirrorOf(parts.mirror),
    ...(parts.buggify === undefined ? {} : { buggifyIn64: parts.buggify }),
    ...(parts.swaps === undefined ? {} : { swaps: parts.swaps }),
    ...(parts.heal === undefined
      ? {}
      : { heal: { atUs: parts.heal.at, core: selectNodes(nodes, parts.heal.core, [], ['heal'], 'core') } }),
    untilUs: parts.until ?? lastUs + hourUs,
  };
  return {
    scenario,
    policies: parts.policies,
    seeds: parts.seeds,
    expect: Object.entries(parts.expect).flatMap(([policy, figures]) =>
      Object.entries(figures).flatMap(([figure, bound]) =>
        bound === undefined ? [] : [{ policy, figure: figure as FigureName, bound } as Expectation],
      ),
    ),
  };
}

const hourUs = 3_600_000_000;

function allImages({ images: given }: ScenarioParts, traced: readonly TraceWorkload[]): readonly ImageSpec[] {
  const images = imagesOf(given);
  const names = new Set(images.map(({ name }) => name));
  // What the file says of an image is true of it in the trace too.
  const others = traced.flatMap(({ images: own }) => own).filter(({ name }) => !names.has(name));
  const all = [...images, ...new Map(others.map((image) => [image.name, image])).values()];
  if (all.length === 0) throw new ScenarioError(['images'], 'has none: a scenario needs an image');
  return all;
}

function imagesOf(given: ScenarioParts['images']): readonly ImageSpec[] {
  return given.map(({ name, layers, base, labels, movesAt, platforms }, index) => {
    if (!/^[^/\s]+\/[^\s:]+:[\w][\w.-]*$/.test(name)) {
      throw new ScenarioError(
        ['images', index, 'name'],
        `${sayValue(name)} is no name of an image: write registry/repository:tag, docker.io/library/app:1`,
      );
    }
    const names = given.map((each) => each.name);
    const below = base === undefined ? undefined : given.find((each) => each.name === base);
    if (base !== undefined && (below === undefined || below.name === name || below.base !== undefined)) {
      const problem = `${sayValue(base)} is not another image of this file without a base${didYouMean(base, names)}`;
      throw new ScenarioError(['images', index, 'base'], problem);
    }
    if (labels !== undefined && (base !== undefined || labels.length !== layers.length)) {
      const problem = base === undefined ? `has ${labels.length}, and layers ${layers.length}` : 'stands beside base';
      throw new ScenarioError(['images', index, 'labels'], `${problem}: write one for each layer, and no base`);
    }
    const all = [...(below?.layers ?? []), ...layers];
    const isShared = below !== undefined || given.some((each) => each.base === name);
    const label = (place: number): string =>
      below !== undefined && place < below.layers.length
        ? `${below.name} layer ${place}`
        : `${name} layer ${place - (below?.layers.length ?? 0)}`;
    return {
      name,
      layerBytes: all,
      ...(labels === undefined ? {} : { layerLabels: labels }),
      ...(isShared && labels === undefined ? { layerLabels: all.map((_bytes, place) => label(place)) } : {}),
      ...(platforms === undefined ? {} : { platforms }),
      ...(movesAt === undefined ? {} : { movesAtUs: movesAt }),
    };
  });
}

function faultsOf(parts: FaultParts, nodes: NodeNames, path: ScenarioPath): readonly Fault[] {
  const { at, every, what } = parts;
  if (parts.until !== undefined && parts.for !== undefined) {
    throw new ScenarioError([...path, 'for'], 'stands beside until: write one of them');
  }
  const lastsUs = parts.for ?? (parts.until === undefined ? undefined : parts.until - at);
  if (lastsUs !== undefined && lastsUs <= 0) {
    throw new ScenarioError([...path, parts.for === undefined ? 'until' : 'for'], 'is over before it begins');
  }
  const isUpstream = parts.on.length === 1 && parts.on[0] === 'upstream';
  if (isUpstream && faultTable[what.kind].targets !== 'both') {
    throw new ScenarioError([...path, 'on'], `${what.kind} happens to nodes, not to the upstream`);
  }
  const targets = isUpstream ? ['upstream' as const] : selectNodes(nodes, parts.on, parts.except, path);
  const askers = parts.from === undefined ? [undefined] : selectNodes(nodes, parts.from, [], path, 'from');
  const others =
    parts.with === undefined || parts.with.length === 0 ? [] : selectNodes(nodes, parts.with, [], path, 'with');
  return targets.flatMap((target, index) =>
    askers.map((from): Fault => {
      const atUs = at + index * every;
      return {
        atUs,
        target,
        what: completed(
          what,
          from,
          others.filter((other) => other !== target),
        ),
        ...(lastsUs === undefined ? {} : { untilUs: atUs + lastsUs }),
      };
    }),
  );
}

/** With the nodes that it speaks of. */
function completed(what: FaultKind, from: number | undefined, others: readonly number[]): FaultKind {
  switch (what.kind) {
    case 'http':
      return from === undefined ? what : { ...what, from };
    case 'cut':
    case 'island':
      return { ...what, with: others };
    case 'forget':
      return { ...what, members: others };
    default:
      return what;
  }
}

/** Nothing where nothing is said: a scenario of defaults is printed without them. */
function mirrorOf({ limits, tagMaxAge, ...rest }: ScenarioParts['mirror']): Pick<Scenario, 'limits' | 'mirror'> {
  const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const mirror: MirrorSpec = { ...said, ...(tagMaxAge === undefined ? {} : { tagMaxAgeUs: tagMaxAge }) };
  return {
    ...(Object.keys(limits).length === 0 ? {} : { limits: limitsOf(limits) }),
    ...(Object.keys(mirror).length === 0 ? {} : { mirror }),
  };
}

function limitsOf(given: Readonly<Record<string, string | number>>): Partial<Limits> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, limitOf(name, value)]));
}

function limitOf(name: string, value: string | number): number {
  const path = ['mirror', 'limits', name];
  if (!Object.hasOwn(defaultLimits, name)) {
    const names = Object.keys(defaultLimits);
    throw new ScenarioError(path, `is no limit${didYouMean(name, names)}: docs/reference/limits.md lists them`);
  }
  const [parse, example] = name.endsWith('Us')
    ? ([parseDurationUs, '2s or 150ms'] as const)
    : name.endsWith('BytesPerSecond')
      ? ([parseRateBytesPerSecond, '64KiB/s'] as const)
      : name.endsWith('Bytes')
        ? ([parseSizeBytes, '8MiB'] as const)
        : ([wholeNumber, '8'] as const);
  const parsed = parse(value);
  if (parsed === undefined)
    throw new ScenarioError(path, `${sayValue(value)} is no value of it: write it as ${example}`);
  return parsed;
}

function wholeNumber(value: string | number): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}
