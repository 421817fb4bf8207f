import { createSimRandom } from '../kernel/random.ts';
import { selectNodes } from './node-selection.ts';
import type { NodeNames } from './node-selection.ts';
import { didYouMean, ScenarioError, sayValue } from './scenario-error.ts';
import type { ScenarioPath } from './scenario-error.ts';
import type { ScenarioParts } from './scenario-schema.ts';
import type { ImageSpec, PullSpec } from './scenario.ts';

type Rollout = ScenarioParts['workload'][number];

/** Pulls one by one, of all rollouts of a file. */
export function planPulls(
  rollouts: readonly Rollout[],
  nodes: NodeNames,
  images: readonly ImageSpec[],
): readonly PullSpec[] {
  const pulls: PullSpec[] = [];
  for (const [index, rollout] of rollouts.entries()) {
    const path = ['workload', index];
    checkImage(rollout.pull, images, [...path, 'pull']);
    const chosen = selectNodes(nodes, rollout.on, rollout.except, path);
    const lane = rollout.atOnce?.(chosen.length);
    const startsUs = startsOf(rollout, chosen.length, path);
    const first = pulls.length;
    for (const [order, node] of chosen.entries()) {
      const isLater = lane !== undefined && order >= lane;
      pulls.push({
        // A later one of a lane begins so long after the one before it.
        atUs: isLater ? (rollout.every ?? 0) : (startsUs[order] ?? rollout.at),
        node,
        image: rollout.pull,
        ...(isLater ? { after: first + order - lane } : {}),
        ...(rollout.retries === undefined ? {} : { retries: rollout.retries }),
        ...(rollout.jitter === undefined ? {} : { jitterUs: rollout.jitter }),
      });
    }
  }
  return pulls;
}

function checkImage(name: string, images: readonly ImageSpec[], path: ScenarioPath): void {
  const names = images.map((image) => image.name);
  if (!names.includes(name)) {
    throw new ScenarioError(path, `${sayValue(name)} is not among images${didYouMean(name, names)}`);
  }
}

function startsOf(
  { at, arrivals, atOnce, every, waves }: Rollout,
  nodes: number,
  path: ScenarioPath,
): readonly number[] {
  const ways = Object.entries({ waves, atOnce, arrivals }).filter(([, value]) => value !== undefined);
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
