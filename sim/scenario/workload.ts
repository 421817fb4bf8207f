import { createSimRandom } from '../kernel/random.ts';
import { selectNodes } from './node-selection.ts';
import type { NodeNames } from './node-selection.ts';
import { didYouMean, ScenarioError, sayValue } from './scenario-error.ts';
import type { ScenarioPath } from './scenario-error.ts';
import type { AskSpec, ImageSpec, PodSpec, PullSpec, Scenario } from './scenario.ts';
import type { ReadTraces } from './trace-text.ts';
import type { WorkOf, WorkParts } from './workload-text.ts';

/** What all parts of a workload may speak of. */
export interface WorkPlace {
  readonly nodes: NodeNames;
  readonly images: readonly ImageSpec[];
  readonly traces: ReadTraces;
}

/** Pulls, pods and questions one by one, of all parts of a file's workload. */
export function planWork(parts: readonly WorkParts[], place: WorkPlace): Pick<Scenario, 'workload' | 'pods' | 'asks'> {
  const workload: PullSpec[] = [];
  const pods: PodSpec[] = [];
  const asks: AskSpec[] = [];
  /** Of each part, where its pulls begin. */
  const firsts: number[] = [];
  for (const [index, part] of parts.entries()) {
    const path = ['workload', index];
    firsts.push(workload.length);
    switch (part.work) {
      case 'pulls':
        workload.push(...planPulls(part, place, path, { workload, firsts }));
        break;
      case 'pods':
        pods.push(...planPods(part, place, path));
        break;
      case 'asks':
        asks.push(...planAsks(part, place, path));
        break;
      case 'traces':
        workload.push(...planTraces(part, place, path));
        break;
    }
  }
  return { workload, ...(pods.length === 0 ? {} : { pods }), ...(asks.length === 0 ? {} : { asks }) };
}

interface Before {
  readonly workload: readonly PullSpec[];
  readonly firsts: readonly number[];
}

function planPulls(
  rollout: WorkOf<'pulls'>,
  { images, nodes }: WorkPlace,
  path: ScenarioPath,
  before: Before,
): readonly PullSpec[] {
  const { after, at, atOnce, every = 0, jitter, pull, retries } = rollout;
  checkImage(pull, images, [...path, 'pull']);
  const chosen = selectNodes(nodes, rollout.on, rollout.except, path);
  const lane = atOnce?.(chosen.length);
  const startsUs = startsOf(rollout, chosen.length, path);
  const first = before.workload.length;
  return chosen.map((node, order): PullSpec => {
    const isLater = lane !== undefined && order >= lane;
    const previous = isLater
      ? first + order - lane
      : after === undefined
        ? undefined
        : pullBefore(before, after, node, [...path, 'after']);
    return {
      // A later one of a lane begins so long after the one before it.
      atUs: isLater ? every : (startsUs[order] ?? at),
      node,
      image: pull,
      ...(previous === undefined ? {} : { after: previous }),
      ...(retries === undefined ? {} : { retries }),
      ...(jitter === undefined ? {} : { jitterUs: jitter }),
    };
  });
}

/** The pull of this node in that part, or its only one. */
function pullBefore({ firsts, workload }: Before, part: number, node: number, path: ScenarioPath): number {
  const first = firsts[part];
  const own = firsts.length - 1;
  if (first === undefined || part >= own) {
    const earlier = own === 0 ? 'there is none' : `0 to ${own - 1}`;
    throw new ScenarioError(path, `${sayValue(part)} is no part of the workload before this one: ${earlier}`);
  }
  const pulls = workload.slice(first, firsts[part + 1]);
  const index = pulls.length === 1 ? 0 : pulls.findLastIndex((pull) => pull.node === node);
  if (index < 0) throw new ScenarioError(path, `${sayValue(part)} is a part without a pull on each of these nodes`);
  return first + index;
}

function planPods(part: WorkOf<'pods'>, { images, nodes }: WorkPlace, path: ScenarioPath): readonly PodSpec[] {
  const { at, except, on, pod, pullPolicy } = part;
  for (const name of pod) checkImage(name, images, [...path, 'pod']);
  const chosen = selectNodes(nodes, on, except, path);
  const startsUs = startsOf(part, chosen.length, path);
  return chosen.map((node, order) => ({
    atUs: startsUs[order] ?? at,
    node,
    images: pod,
    ...(pullPolicy === undefined ? {} : { pullPolicy }),
  }));
}

function planAsks(part: WorkOf<'asks'>, { images, nodes }: WorkPlace, path: ScenarioPath): readonly AskSpec[] {
  const { ask, at, bytes, except, method, on, patience, range, rate, what } = part;
  const image = checkImage(ask, images, [...path, 'ask']);
  const layers = image.layerBytes.length;
  if (typeof what === 'number' && what >= layers) {
    const allowed = layers === 0 ? 'it has none' : `0 to ${layers - 1}`;
    throw new ScenarioError([...path, 'what'], `${what} is no layer of ${sayValue(ask)}: ${allowed}`);
  }
  const chosen = selectNodes(nodes, on, except, path);
  const startsUs = startsOf(part, chosen.length, path);
  return chosen.map((node, order) => ({
    atUs: startsUs[order] ?? at,
    node,
    image: ask,
    what,
    ...(method === undefined ? {} : { method }),
    ...(range === undefined ? {} : { range }),
    ...(rate === undefined ? {} : { bytesPerSecond: rate }),
    ...(bytes === undefined ? {} : { bytesMax: bytes }),
    ...(patience === undefined ? {} : { patienceUs: patience }),
  }));
}

/** Each node what it did, or each of those that are named all of it. */
function planTraces(
  { at, except, on, trace }: WorkOf<'traces'>,
  { nodes, traces }: WorkPlace,
  path: ScenarioPath,
): readonly PullSpec[] {
  const { nodeNames, workload } = traces(trace, [...path, 'trace']);
  const chosen = on === undefined ? undefined : selectNodes(nodes, on, except, path);
  return workload.flatMap((pull) => {
    const name = nodeNames[pull.node] ?? '';
    const own = chosen ?? [nodes.names.indexOf(name)];
    if (own.includes(-1)) {
      const mend = 'leave cluster.nodes out, and the nodes are those of the trace, or write on';
      throw new ScenarioError([...path, 'trace'], `its node ${sayValue(name)} is not in the cluster: ${mend}`);
    }
    return own.map((node) => ({ ...pull, node, atUs: pull.atUs + at }));
  });
}

function checkImage(name: string, images: readonly ImageSpec[], path: ScenarioPath): ImageSpec {
  const image = images.find((each) => each.name === name);
  if (image !== undefined) return image;
  const names = images.map((each) => each.name);
  throw new ScenarioError(path, `${sayValue(name)} is not among images${didYouMean(name, names)}`);
}

interface Starts {
  readonly at: number;
  readonly every?: number | undefined;
  readonly waves?: number | undefined;
  readonly arrivals?: number | undefined;
  readonly atOnce?: unknown;
  readonly after?: number | undefined;
}

function startsOf(
  { after, arrivals, at, atOnce, every, waves }: Starts,
  nodes: number,
  path: ScenarioPath,
): readonly number[] {
  const ways = Object.entries({ waves, atOnce, arrivals, after }).filter(([, value]) => value !== undefined);
  const [first, second] = ways.map(([name]) => name);
  if (second !== undefined) {
    throw new ScenarioError([...path, second], `stands beside ${first ?? ''}: nodes pull in one way or the other`);
  }
  const order = Array.from({ length: nodes }, (_, index) => index);
  if (waves !== undefined) {
    if (every === undefined)
      throw new ScenarioError([...path, 'every'], 'is missing: how long from one wave to the next');
    return order.map((index) => at + Math.floor((index * waves) / nodes) * every);
  }
  if (arrivals !== undefined) {
    const random = createSimRandom(1).fork(`arrivals:${path.join('.')}`);
    let nowUs = at;
    return order.map(() => (nowUs += random.exponentialUs(arrivals)));
  }
  return order.map((index) => at + (atOnce === undefined ? index * (every ?? 0) : 0));
}
