import { league, leagueTable } from '../../../sim/index.ts';
import type { Plan, RunRecord, SimResult } from '../../../sim/index.ts';
import { Html, html } from '../../debug-view/html.ts';
import { style } from '../../debug-view/style.ts';
import { sayRate, sayTime } from '../words.ts';
import { chart } from './chart.ts';
import type { Series } from './chart.ts';
import { reportScript, reportStyle } from './report-style.ts';
import { sayFault, spaceTime } from './space-time.ts';

export interface Report {
  readonly plan: Plan;
  /** The scenario as it was written. */
  readonly text: string;
  /** What was typed to get this. */
  readonly command: string;
  readonly version: string;
  readonly results: readonly SimResult[];
  /** One run of each policy, those of the first seed. */
  readonly runs: readonly RunRecord[];
  readonly troubles: readonly string[];
}

/** One page without anything from elsewhere. Names in it come from files, so each is escaped. */
export function renderReport(report: Report): string {
  const { plan, troubles, version, command } = report;
  const { name } = plan.scenario;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${name} · peili sim</title>
        <link rel="icon" href="data:," />
        <style>
          ${new Html(style)}${new Html(reportStyle)}
        </style>
      </head>
      <body>
        <a class="skip" href="#runs">To the runs</a>
        <div class="page">
          <header class="top">
            <span class="name">peili</span> <span class="quiet">a simulated rollout</span> <span class="spring"></span
            ><span class="quiet mono">${command}</span>
          </header>
          <main>
            ${headline(report)}
            ${
              troubles.length > 0 &&
              html`<section class="sheet">
                <ul class="troubles">
                  ${troubles.map((trouble) => html`<li>${trouble}</li>`)}
                </ul>
              </section>`
            }
            ${table(report)} ${charts(report)} ${runsOf(report)} ${scenarioOf(report)}
          </main>
          <footer>peili ${version}. The same scenario with the same seed is the same run, to the event.</footer>
        </div>
        <script>
          ${new Html(reportScript)};
        </script>
      </body>
    </html> `.markup;
}

function headline({ plan, results, troubles }: Report): Html {
  const { shows, cluster, workload } = plan.scenario;
  const isWell = troubles.length === 0;
  const seeds = new Set(results.map(({ seed }) => seed)).size;
  return html`<section class="verdict ${isWell ? 'is-working' : 'is-trouble'}" aria-label="Verdict">
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <g class="mark">
        <circle cx="12" cy="12" r="10" />
        ${isWell ? html`<path d="M7.5 12.5l3 3 6-6.5" />` : html`<path d="M12 7v6M12 16.6v.1" />`}
      </g>
    </svg>
    <h1>${sentence(plan.scenario.name)}: ${isWell ? 'as expected' : 'not as expected'}</h1>
    <p>
      ${sentence(shows)}${shows !== '' && '. '}${cluster.nodes} nodes, ${workload.length} pulls, ${seeds}
      ${seeds === 1 ? 'seed' : 'seeds'} of each policy.
    </p>
  </section>`;
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function table({ plan, results }: Report): Html {
  const { figures, policies } = leagueTable(league(plan.scenario, results));
  return html`<h2>Policies compared</h2>
    <div class="sheet scroll" tabindex="0" role="region" aria-label="Policies compared">
      <table class="league">
        <thead>
          <tr>
            <td></td>
            ${policies.map((policy) => html`<th scope="col" class="policy"><i class="${classOf(policy, plan)}"></i>${policy}</th>`)}
            <td class="says"></td>
          </tr>
        </thead>
        <tbody>
          ${figures.map(
            ({ cells, says, title }) =>
              html`<tr>
                <th scope="row">${title}</th>
                ${cells.map(figure)}
                <td class="says">${says}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <details class="legend-text quiet">
      <summary>What the figures are</summary>
      <dl>
        ${figures.map(
          ({ says, title }) =>
            html`<dt>${title}</dt>
              <dd>${says}</dd>`,
        )}
      </dl>
    </details>`;
}

/** A line breaks between a figure and its band, and nowhere else. */
function figure(cell: string): Html {
  const [, value = cell, band] = /^(.*?) (\(.*\))$/.exec(cell) ?? [];
  return html`<td>${value}${band !== undefined && html` <span class="band">${band}</span>`}</td>`;
}

function charts({ plan, results, runs }: Report): Html {
  return html`<h2>How long, and what left the registry</h2>
    <div class="charts">
      <div class="sheet chart-sheet">
        <h3>Pulls that had ended, by time since they began</h3>
        ${distribution(plan, results)} ${keys(plan, runs)}
      </div>
      <div class="sheet chart-sheet">
        <h3>From upstream, over the rollout</h3>
        ${egress(plan, runs)} ${keys(plan, runs)}
      </div>
    </div>`;
}

function distribution(plan: Plan, results: readonly SimResult[]): Html {
  const series = plan.policies.map((policy): Series => {
    const pulls = results.filter((result) => result.policy === policy).flatMap((result) => result.pulls);
    const times = pulls.flatMap(({ outcome, tookUs }) => (outcome === 'ok' && tookUs !== undefined ? [tookUs] : []));
    const sorted = times.toSorted((a, b) => a - b);
    // So many places are more than a screen has.
    const every = Math.max(1, Math.ceil(sorted.length / 400));
    const points = sorted.flatMap((at, index): (readonly [number, number])[] =>
      index % every === 0 || index === sorted.length - 1 ? [[at, ((index + 1) / pulls.length) * 100]] : [],
    );
    return { name: policy, className: classOf(policy, plan), points: [[sorted[0] ?? 0, 0], ...points] };
  });
  const xMax = Math.max(1, ...series.flatMap(({ points }) => points.map(([at]) => at)));
  return chart(series, {
    label: 'Share of pulls that had ended, by time since their beginning',
    xMax,
    yMax: 100,
    sayX: sayTime,
    sayY: (share) => `${Math.round(share)} %`,
  });
}

function egress(plan: Plan, runs: readonly RunRecord[]): Html {
  const series = runs.map(({ policy, startUs, endUs, egress: { bytes, stepUs } }): Series => {
    // Bytes are told in chunks: over a shorter time they would show more than the link carries.
    const wide = Math.max(1, Math.ceil((endUs - startUs) / stepUs / 100));
    const points = Array.from({ length: Math.ceil(bytes.length / wide) }, (_, index) => {
      const sum = bytes.slice(index * wide, (index + 1) * wide).reduce((all, each) => all + each, 0);
      return [(index + 0.5) * wide * stepUs - startUs, (sum * 1_000_000) / (wide * stepUs)] as const;
    });
    const end = [bytes.length * stepUs - startUs, 0] as const;
    return { name: policy, className: classOf(policy, plan), points: [[0, 0], ...points, end] };
  });
  const [first] = runs;
  return chart(series, {
    label: 'Bytes a second that left the registry, over the time of the rollout',
    xMax: Math.max(1, ...runs.map(({ startUs, endUs }) => endUs - startUs)),
    yMax: Math.max(1, ...series.flatMap(({ points }) => points.map(([, rate]) => rate))),
    sayX: sayTime,
    sayY: sayRate,
    bands: (first?.faults ?? [])
      .filter(({ target }) => target === 'upstream')
      .map((fault) => ({
        from: fault.fromUs - (first?.startUs ?? 0),
        to: (fault.toUs ?? Infinity) - (first?.startUs ?? 0),
        says: first === undefined ? '' : sayFault(fault, first),
      })),
  });
}

function keys(plan: Plan, runs: readonly RunRecord[]): Html {
  return html`<p class="keys">
    ${runs.map(({ policy }) => html`<span><i class="${classOf(policy, plan)}"></i>${policy}</span>`)}
  </p>`;
}

function runsOf({ runs }: Report): Html {
  const untilUs = Math.max(...runs.map(({ endUs }) => endUs));
  return html`<h2 id="runs" tabindex="-1">
      Node by node <span class="quiet">the run of the first seed; open a row to see why</span>
    </h2>
    ${runs.map(
      (run, index) =>
        html`<section class="sheet run" aria-label="${run.policy}">
          <p class="keys legend">
            <b>${run.policy}, seed ${run.seed}</b>
            ${legendOf(run)}
          </p>
          ${spaceTime(run, { group: `run-${index}`, untilUs })}
        </section>`,
    )}`;
}

/** What is seen in the drawing of a run, and nothing else. */
function legendOf({ faults, pulls }: RunRecord): Html {
  const has = (bytesOf: (point: RunRecord['pulls'][number]['progress'][number]) => number): boolean =>
    pulls.some(({ progress }) => progress.some((point) => bytesOf(point) > 0));
  return html`${has(({ mirrorBytes }) => mirrorBytes) && html`<span><i class="s-peer-1"></i>from the mirror</span>`}
  ${has(({ upstreamBytes }) => upstreamBytes) && html`<span><i class="s-upstream"></i>from upstream</span>`}
  ${faults.length > 0 && html`<span><i class="fault-key"></i>something was wrong</span>`}
  ${pulls.some(({ outcome }) => outcome !== 'ok') && html`<span><i class="failed-key"></i>a pull that failed</span>`}`;
}

function scenarioOf({ text }: Report): Html {
  // Not as an ordinary text, which is cut where names are long enough.
  const lines = text.split('\n').map((line) => html`${line} `);
  return html`<h2>The scenario</h2>
    <details class="sheet text">
      <summary>as it was written</summary>
      <pre>${lines}</pre>
    </details>`;
}

/** Policies in their order, the first one in the mirror's own colour. */
function classOf(policy: string, plan: Plan): string {
  return `p-${Math.min(
    5,
    Math.max(
      0,
      plan.policies.findIndex((name) => name === policy),
    ),
  )}`;
}
