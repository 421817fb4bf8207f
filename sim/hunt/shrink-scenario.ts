import type { Fault } from '../faults/fault.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** Whether a scenario still shows what it is kept for. */
export type Shows = (scenario: Scenario) => Promise<boolean>;

/** A smaller scenario that still shows it: fewer faults, pulls, nodes and layers, then simpler ones. Tries at most `triesMax`. */
export async function shrinkScenario(scenario: Scenario, shows: Shows, triesMax = 400): Promise<Scenario> {
  const state = { best: scenario, tries: 0 };
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const candidate of smaller(state.best)) {
      if (state.tries >= triesMax) return state.best;
      state.tries += 1;
      if (!(await shows(candidate))) continue;
      state.best = candidate;
      isSmaller = true;
      break;
    }
  }
  return state.best;
}

function* smaller(scenario: Scenario): Iterable<Scenario> {
  const { asks = [], cluster, faults, images, upstream, workload } = scenario;
  for (const index of faults.keys()) yield { ...scenario, faults: faults.toSpliced(index, 1) };
  if (images.length > 1) {
    for (const [index, { name }] of images.entries()) {
      yield {
        ...scenario,
        images: images.toSpliced(index, 1),
        workload: workload.filter(({ image }) => image !== name),
        ...(scenario.asks === undefined ? {} : { asks: asks.filter(({ image }) => image !== name) }),
      };
    }
  }
  if (workload.length > 1)
    for (const index of workload.keys()) yield { ...scenario, workload: workload.toSpliced(index, 1) };
  for (const index of asks.keys()) yield { ...scenario, asks: asks.toSpliced(index, 1) };
  for (let node = cluster.nodes - 1; node >= 0; node -= 1) yield* withoutNode(scenario, node);
  for (const [index, { layerBytes, ...image }] of images.entries()) {
    if (layerBytes.length > 1) {
      for (const at of layerBytes.keys()) {
        yield { ...scenario, images: images.with(index, { ...image, layerBytes: layerBytes.toSpliced(at, 1) }) };
      }
    }
  }
  yield* withoutSeasoning(scenario);
  if (cluster.zones > 1) yield { ...scenario, cluster: { ...cluster, zones: 1 } };
  if (upstream.latencyUs > 1_000) yield { ...scenario, upstream: { ...upstream, latencyUs: 1_000 } };
  for (const [index, { retries = 0, ...pull }] of workload.entries()) {
    if (retries > 0) yield { ...scenario, workload: workload.with(index, { ...pull, retries: retries - 1 }) };
  }
  for (const [index, fault] of faults.entries()) {
    for (const simpler of simplerFaults(fault)) yield { ...scenario, faults: faults.with(index, simpler) };
  }
}

/** What is said of its parts, and of the core that is healed; ties one by one. */
function* withoutSeasoning(scenario: Scenario): Iterable<Scenario> {
  const { buggifyIn64: _buggify, ...unbuggified } = scenario;
  if (scenario.buggifyIn64 !== undefined) yield unbuggified;
  const { heal: _heal, ...unhealed } = scenario;
  if (scenario.heal !== undefined) yield unhealed;
  const { limits: _limits, ...unlimited } = scenario;
  if (scenario.limits !== undefined) yield unlimited;
  const { mirror: _mirror, ...unconfigured } = scenario;
  if (scenario.mirror !== undefined) yield unconfigured;
  const { containerd, ...cluster } = scenario.cluster;
  if (containerd !== undefined) yield { ...scenario, cluster };
  const { swaps, ...unswapped } = scenario;
  if (swaps === undefined) return;
  yield unswapped;
  if (swaps.length > 1) for (const index of swaps.keys()) yield { ...scenario, swaps: swaps.toSpliced(index, 1) };
}

/** Only a node of which nothing is said. */
function* withoutNode(scenario: Scenario, node: number): Iterable<Scenario> {
  const { asks = [], cluster, faults, workload } = scenario;
  if (cluster.nodes === 1 || cluster.zones > 1) return;
  const isNamed =
    [...asks, ...workload].some((each) => each.node === node) || faults.some(({ target }) => target === node);
  const isMeant = faults.some(({ what }) => what.kind === 'http' && what.from !== undefined);
  if (isNamed || isMeant) return;
  const moved = (index: number): number => (index > node ? index - 1 : index);
  yield {
    ...scenario,
    cluster: { ...cluster, nodes: cluster.nodes - 1 },
    workload: workload.map((pull) => ({ ...pull, node: moved(pull.node) })),
    ...(scenario.asks === undefined ? {} : { asks: asks.map((ask) => ({ ...ask, node: moved(ask.node) })) }),
    ...(scenario.heal === undefined
      ? {}
      : {
          heal: { ...scenario.heal, core: scenario.heal.core.filter((index) => index !== node).map(moved) },
        }),
    faults: faults.map((fault) => (fault.target === 'upstream' ? fault : { ...fault, target: moved(fault.target) })),
  };
}

function* simplerFaults({ untilUs, ...fault }: Fault): Iterable<Fault> {
  const { atUs, what } = fault;
  if (untilUs === undefined) return;
  const second = 1_000_000;
  const rounded = Math.floor(atUs / second) * second;
  if (rounded !== atUs) yield { ...fault, atUs: rounded, untilUs };
  if (what.kind === 'http' && what.from !== undefined)
    yield { atUs, target: fault.target, what: { kind: 'http', fault: what.fault }, untilUs };
}
