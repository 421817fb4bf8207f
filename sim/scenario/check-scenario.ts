import { checkFaults } from '../faults/check-faults.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What is wrong with a scenario that is already a value, in one sentence with the place; undefined: nothing. For those that come from files and lines, so that a run of
 * one that was changed by hand does not end in the middle of the simulator.
 */
export function checkScenario(value: unknown): string | undefined {
  if (!isFields(value)) return `${say(value)} is no scenario`;
  const { cluster, faults, images, untilUs, upstream } = value;
  const own = checkCluster(cluster) ?? checkUpstream(upstream) ?? checkImages(images);
  if (own !== undefined || !isFields(cluster) || !Array.isArray(images)) return own;
  if (!isTime(untilUs) || untilUs === 0) return `untilUs: ${say(untilUs)} is no time: microseconds, above 0`;
  const known: Known = { nodes: Number(cluster['nodes']), images: new Map(images.filter(isFields).map(entryOf)) };
  return (
    checkEach('workload', value['workload'], (pull, path, all) => checkPull(pull, path, known, all)) ??
    checkEach('pods', value['pods'] ?? [], (pod, path) => checkPod(pod, path, known)) ??
    checkEach('asks', value['asks'] ?? [], (ask, path) => checkAsk(ask, path, known)) ??
    checkFaults(faults, known.nodes)
  );
}

/** What the parts of a scenario may speak of. */
interface Known {
  readonly nodes: number;
  /** How many layers each image has. */
  readonly images: ReadonlyMap<string, number>;
}

function entryOf({ layerBytes, name }: Fields): readonly [string, number] {
  return [String(name), Array.isArray(layerBytes) ? layerBytes.length : 0];
}

function checkCluster(cluster: unknown): string | undefined {
  if (!isFields(cluster)) return `cluster: ${say(cluster)} is no cluster`;
  for (const name of ['nodes', 'zones']) {
    const count = cluster[name];
    if (!isTime(count) || count === 0) return `cluster.${name}: ${say(count)} is no whole number from 1`;
  }
  return (
    checkNumbers(cluster, ['upBytesPerSecond', 'downBytesPerSecond', 'mirrorBytesPerSecond'], 'cluster', isRate) ??
    checkNumbers(cluster, ['latencyUs', 'zoneLatencyUs'], 'cluster', isTime) ??
    checkEach('cluster.uneven', cluster['uneven'] ?? [], ({ node }, path) =>
      checkNode(node, Number(cluster['nodes']), path),
    )
  );
}

function checkUpstream(upstream: unknown): string | undefined {
  if (!isFields(upstream)) return `upstream: ${say(upstream)} is no registry`;
  return (
    checkNumbers(upstream, ['bytesPerSecond'], 'upstream', isRate) ??
    checkNumbers(upstream, ['latencyUs'], 'upstream', isTime)
  );
}

function checkImages(images: unknown): string | undefined {
  return checkEach('images', images, ({ layerBytes, name }, path) => {
    if (typeof name !== 'string') return `${path}.name: ${say(name)} is no name of an image`;
    const isListed = Array.isArray(layerBytes) && layerBytes.every(isTime);
    return isListed ? undefined : `${path}.layerBytes: ${say(layerBytes)} is no list of sizes in bytes`;
  });
}

function checkPull({ after, atUs, image, node }: Fields, path: string, known: Known, all: number): string | undefined {
  const isAfter = after === undefined || (isTime(after) && after < all);
  return (
    checkPlace(atUs, node, path, known) ??
    checkImage(image, `${path}.image`, known) ??
    (isAfter ? undefined : `${path}.after: ${say(after)} is no pull: 0 to ${all - 1}`)
  );
}

function checkPod({ atUs, images, node }: Fields, path: string, known: Known): string | undefined {
  const place = checkPlace(atUs, node, path, known);
  if (place !== undefined) return place;
  if (!Array.isArray(images)) return `${path}.images: ${say(images)} is no list of images`;
  return images
    .map((image, index) => checkImage(image, `${path}.images[${index}]`, known))
    .find((problem) => problem !== undefined);
}

function checkAsk({ atUs, image, node, what }: Fields, path: string, known: Known): string | undefined {
  const wrong = checkPlace(atUs, node, path, known) ?? checkImage(image, `${path}.image`, known);
  if (wrong !== undefined) return wrong;
  const layers = known.images.get(String(image)) ?? 0;
  const isKnown = isTime(what) ? what < layers : what === 'tag' || what === 'manifest' || what === 'config';
  return isKnown
    ? undefined
    : `${path}.what: ${say(what)} is not "tag", "manifest", "config" or one of ${layers} layers`;
}

function checkPlace(atUs: unknown, node: unknown, path: string, { nodes }: Known): string | undefined {
  if (!isTime(atUs)) return `${path}.atUs: ${say(atUs)} is no time: microseconds, from 0`;
  return checkNode(node, nodes, path);
}

function checkNode(node: unknown, nodes: number, path: string): string | undefined {
  return isTime(node) && node < nodes ? undefined : `${path}.node: ${say(node)} is no node: 0 to ${nodes - 1}`;
}

function checkImage(image: unknown, path: string, { images }: Known): string | undefined {
  return typeof image === 'string' && images.has(image) ? undefined : `${path}: ${say(image)} is not among images`;
}

function checkEach(
  path: string,
  list: unknown,
  check: (item: Fields, path: string, all: number) => string | undefined,
): string | undefined {
  if (!Array.isArray(list)) return `${path}: ${say(list)} is no list`;
  for (const [index, item] of list.entries()) {
    const place = `${path}[${index}]`;
    const problem = isFields(item) ? check(item, place, list.length) : `${place}: ${say(item)} has no fields`;
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkNumbers(
  fields: Fields,
  names: readonly string[],
  path: string,
  is: (value: unknown) => boolean,
): string | undefined {
  const wrong = names.find((name) => !is(fields[name]));
  if (wrong === undefined) return undefined;
  return `${path}.${wrong}: ${say(fields[wrong])} is no ${is === isRate ? 'rate: bytes a second, above 0' : 'time: microseconds, from 0'}`;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isRate(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}

function say(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}
