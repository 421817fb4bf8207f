import process from 'node:process';
import type { Bench } from '../bench.ts';
import { oursName } from '../measurement.ts';
import type { Line, Mark, RowName, Unit } from '../measurement.ts';
import type { RowGroup } from '../rows/row.ts';
import { ratios, summarize } from '../statistics.ts';
import { startStage, usualUpstreamRate } from './stage.ts';
import type { Stage, StageOptions } from './stage.ts';

/** What one round on one mirror's cluster gave, by the figure's name. */
export type Figures = Readonly<Record<string, number | undefined>>;

export interface FigureLine {
  readonly figure: string;
  readonly what: string;
  readonly unit: Unit;
  readonly mark?: Mark;
  /** The mean of all rounds is shown and judged, where one round that goes wrong has to show. */
  readonly mean?: true;
  /** Compared with the first other mirror, where all its figures are above zero. */
  readonly compared?: true;
}

export interface NodeRow {
  readonly row: RowName;
  readonly rounds: number;
  readonly stage?: Partial<StageOptions>;
  /** Every round finds mirrors that remember nothing. */
  readonly freshMirrors?: true;
  /** Before the first round. */
  readonly setUp?: (stage: Stage, bench: Bench) => Promise<void>;
  readonly measure: (stage: Stage, bench: Bench) => Promise<Figures>;
  readonly lines: readonly FigureLine[];
  readonly notes?: readonly string[];
}

/** A row on containerd nodes: a cluster for each mirror, all in turn, round by round. */
export function nodeRow(definition: NodeRow): RowGroup {
  const { row, rounds, stage: options, freshMirrors, setUp, measure } = definition;
  return {
    rows: [row],
    onNodes: true,
    measure: async (bench) => {
      const figures = new Map<string, Figures[]>(bench.mirrors.map(({ name }) => [name, []]));
      const failures: string[] = [];
      const stages: Stage[] = [];
      const attempt = async (name: string, work: () => Promise<void>): Promise<void> => {
        if (failures.some((failure) => failure.startsWith(`${name}: `))) return;
        await work().catch((error: unknown) => {
          failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        });
      };
      for (const mirror of bench.mirrors) {
        await attempt(mirror.name, async () => {
          const stage = await startStage(bench, mirror, { upstreamRate: usualUpstreamRate, ...options });
          await setUp?.(stage, bench);
          stages.push(stage);
        });
      }
      for (let round = 0; round < bench.rounds(rounds); round += 1) {
        for (const stage of stages) {
          await attempt(stage.name, async () => {
            if (freshMirrors === true && round > 0) await stage.restartMirrors();
            figures.get(stage.name)?.push(await measure(stage, bench));
          });
        }
      }
      for (const failure of failures) bench.say(`${row}, ${failure}`);
      // What others could not do is a result.
      if (failures.some((failure) => failure.startsWith(`${oursName}: `))) process.exitCode = 1;
      return linesOf(definition, figures, failures);
    },
  };
}

/** The rounds as lines of the table. */
export function linesOf(
  { lines, notes = [], row }: NodeRow,
  measured: ReadonlyMap<string, readonly Figures[]>,
  failures: readonly string[],
): Line[] {
  const said = [...notes, ...failures.map((failure) => `could not go on: ${failure.split('\n', 1).join('')}`)];
  return lines.map(({ compared, figure, mark, mean, unit, what }) => {
    const values = [...measured].map(
      ([name, figures]) => [name, figures.flatMap((each) => each[figure] ?? [])] as const,
    );
    const some = values.filter(([, each]) => each.length > 0);
    const [, ours = []] = some.find(([name]) => name === oursName) ?? [];
    const [against, baseline = []] = some.find(([name]) => name !== oursName) ?? [];
    const comparable = compared === true && ours.length > 0 && against !== undefined && baseline.every((v) => v > 0);
    return {
      row,
      what,
      unit,
      subjects: some.map(([name, each]) => ({ name, summary: summarize(mean === true ? [meanOf(each)] : each) })),
      ...(comparable ? { ratio: { against, summary: summarize(ratios(ours, baseline)) } } : {}),
      ...(mark === undefined ? {} : { mark }),
      notes: said,
    };
  });
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Lines of a pull that has to succeed, and to take nothing from the upstream. */
export function pullLines(
  what: string,
  secondsAtMost: number | undefined,
  upstreamAtMost: number | undefined,
): FigureLine[] {
  const of = 'ours' as const;
  return [
    {
      figure: 'seconds',
      what: `${what}: the pull`,
      unit: 's',
      compared: true,
      ...(secondsAtMost === undefined ? {} : { mark: { of, atMost: secondsAtMost } }),
    },
    { figure: 'succeeded', what: `${what}: pulls that succeed`, unit: '%', mean: true, mark: { of, atLeast: 100 } },
    {
      figure: 'fromUpstream',
      what: `${what}: from upstream, of the image's bytes`,
      unit: 'x',
      mean: true,
      ...(upstreamAtMost === undefined ? {} : { mark: { of, atMost: upstreamAtMost } }),
    },
  ];
}
