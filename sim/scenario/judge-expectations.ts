import type { SimResult } from '../run/simulate.ts';
import type { FigureName, Plan } from './plan.ts';
import type { Scenario } from './scenario.ts';

/** An expectation that a run did not meet. */
export interface Disappointment {
  readonly policy: string;
  readonly seed: number;
  /** One sentence. */
  readonly says: string;
}

/** What a run was expected to show and did not. */
export function judgeExpectations({ expect, scenario }: Plan, result: SimResult): readonly Disappointment[] {
  const { policy, seed } = result;
  return expect
    .filter((expectation) => expectation.policy === policy)
    .flatMap(({ figure, bound }) => {
      const value = figureOf(figure, scenario, result);
      if (value >= bound.min && value <= bound.max) return [];
      const says = `${policy}, seed ${seed}: ${figure} is ${sayFigure(figure, value)}, expected ${bound.text}`;
      return [{ policy, seed, says }];
    });
}

export function figureOf(figure: FigureName, scenario: Scenario, result: SimResult): number {
  const { pods, pulls } = result;
  switch (figure) {
    case 'failed':
      return pulls.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'pending').length;
    case 'pending':
      return [
        ...pulls.filter(({ outcome }) => outcome === 'pending'),
        ...pods.filter(({ readyUs }) => readyUs === undefined),
      ].length;
    case 'upstreamCopies':
      return result.upstreamBytes / imageBytesOf(scenario);
    case 'upstreamRequests':
      return result.upstreamRequests;
    case 'makespan':
      return result.makespanUs;
    case 'slowest':
      return [...pulls, ...pods.map(({ readyUs, startUs }) => ({ startUs, tookUs: readyUs }))].reduce(
        (most, { tookUs, startUs }) => Math.max(most, tookUs ?? scenario.untilUs - startUs),
        0,
      );
  }
}

/** One copy of each image that is pulled; layers that images share once. */
export function imageBytesOf({ images, pods = [], workload }: Pick<Scenario, 'images' | 'pods' | 'workload'>): number {
  const pulled = new Set([...workload.map(({ image }) => image), ...pods.flatMap((pod) => pod.images)]);
  const layers = images
    .filter(({ name }) => pulled.has(name))
    .flatMap(({ name, layerBytes, layerLabels }) =>
      layerBytes.map((bytes, index) => [layerLabels?.[index] ?? `${name} layer ${index}`, bytes] as const),
    );
  return new Map(layers).values().reduce((sum, bytes) => sum + bytes, 0);
}

function sayFigure(figure: FigureName, value: number): string {
  if (figure === 'makespan' || figure === 'slowest') return `${(value / 1_000_000).toFixed(2)}s`;
  return String(Math.round(value * 1000) / 1000);
}
