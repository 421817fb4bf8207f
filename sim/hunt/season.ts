import type { Limits } from '../../core/index.ts';
import type { ContainerdOptions } from '../containerd/containerd-options.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { MirrorSpec, Scenario } from '../scenario/scenario.ts';
import { aim, askAlong, strike } from './focus.ts';

const second = 1_000_000;
const mebibyte = 1024 * 1024;
/** Ties of a small run. */
const tiesMax = 2_000;

/** The same cluster configured otherwise, and what goes wrong in it aimed at pulls that are under way; clients that are no containerd along with them. */
export function season(scenario: Scenario, random: SimRandom): Scenario {
  const drawn = random.fork('aim').chance(3, 4) ? aim(scenario, random.fork('aimed')) : scenario.faults;
  const faults = random.fork('strike').chance(1, 2) ? [...drawn, ...strike(scenario, random.fork('struck'))] : drawn;
  const asked = random.fork('ask').chance(1, 3) ? askAlong(scenario, random.fork('asked')) : [];
  const asks = [...(scenario.asks ?? []), ...asked];
  const images = moved(scenario, random.fork('moved'));
  return { ...configure({ ...scenario, images }, random), faults, ...(asks.length === 0 ? {} : { asks }) };
}

/** In some clusters a tag comes to mean something else while nodes pull it. */
function moved({ images, workload }: Scenario, random: SimRandom): Scenario['images'] {
  if (!random.chance(1, 8)) return images;
  const index = random.below(images.length);
  const lastUs = Math.max(...workload.map(({ atUs }) => atUs));
  const movesAtUs = [random.between(second, lastUs)];
  return images.map((image, order) => (order === index ? { ...image, movesAtUs } : image));
}

/** Mirrors with options and tighter bounds, another containerd, ties decided the other way. Each in some scenarios only. */
export function configure(scenario: Scenario, random: SimRandom): Scenario {
  const { cluster } = scenario;
  const mirror = drawMirror(random.fork('mirror'), scenario);
  const limits = drawLimits(random.fork('limits'));
  const swaps = drawSwaps(random.fork('swaps'));
  const containerd = drawContainerd(random.fork('containerd'));
  const buggifyIn64 = scenario.buggifyIn64 ?? random.fork('buggify').pick([0, 0, 1, 8]);
  return {
    ...scenario,
    ...(containerd === undefined ? {} : { cluster: { ...cluster, containerd } }),
    ...(mirror === undefined ? {} : { mirror }),
    ...(limits === undefined ? {} : { limits: { ...scenario.limits, ...limits } }),
    ...(buggifyIn64 === 0 ? {} : { buggifyIn64 }),
    ...(swaps.length === 0 ? {} : { swaps }),
  };
}

function drawMirror(random: SimRandom, { images }: Scenario): MirrorSpec | undefined {
  if (!random.chance(3, 8)) return undefined;
  const registries = [...new Set(images.map(({ name }) => name.slice(0, name.indexOf('/'))))];
  return random.pick<MirrorSpec>([
    { blobVerification: 'always' },
    { blobVerification: 'always' },
    { blobVerification: 'off' },
    { tagMaxAgeUs: 5 * second },
    { blobsOnlyRegistries: registries },
    { registryFilters: ['app-1'] },
    { mirroredRegistries: ['elsewhere.example'] },
  ]);
}

/** What the scales of a large cluster would do to a small one. */
function drawLimits(random: SimRandom): Partial<Limits> | undefined {
  if (!random.chance(3, 8)) return undefined;
  return random.pick<Partial<Limits>>([
    { uploadsMax: 1 },
    { uploadsMax: 2 },
    { windowBytes: mebibyte, windowLeadBytes: mebibyte / 4 },
    { windowBytes: mebibyte, windowLeadBytes: mebibyte },
    { attemptsMax: 2 },
    { attemptsMax: 2 },
    { attemptsMax: 2 },
    { sourcesMax: 1 },
    { failureMemoryMax: 1 },
    { sizeMemoryMax: 1 },
    { servedMemoryMax: 1 },
  ]);
}

function drawSwaps(random: SimRandom): readonly number[] {
  if (!random.chance(1, 4)) return [];
  const swaps = Array.from({ length: random.between(1, 8) }, (_, index) => random.fork(`swap ${index}`).below(tiesMax));
  return [...new Set(swaps)].sort((one, other) => one - other);
}

function drawContainerd(random: SimRandom): Partial<ContainerdOptions> | undefined {
  if (!random.chance(1, 4)) return undefined;
  return random.pick<Partial<ContainerdOptions>>([
    { fetchBufferBytes: mebibyte },
    { pullBy: 'local' },
    { downloadsAtOnce: 1 },
    { downloadsAtOnce: 10 },
  ]);
}
