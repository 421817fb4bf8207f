import type { FaultRecord, PullRecord, RunRecord } from '../../../sim/index.ts';
import { html } from '../../debug-view/html.ts';
import type { Html } from '../../debug-view/html.ts';
import { sayTime } from '../words.ts';
import { bandOf, drawingWidth, raw, scale, timeAxis } from './chart.ts';
import { explainPull } from './explain-pull.ts';

const rowHeight = 24;
/** Rows of one run: a page of them is looked at, ten pages are not. */
const rowsMax = 100;

export interface SpaceTimeOptions {
  /** Of these rows one is open at a time. */
  readonly group: string;
  /** Where the drawing ends: the same for runs that are compared. */
  readonly untilUs: number;
}

/** Nodes down, time across: what each had by when, and what went wrong meanwhile. A row opens to what happened in it. */
export function spaceTime(run: RunRecord, { group, untilUs }: SpaceTimeOptions): Html {
  const x = scale(run.startUs, untilUs, drawingWidth);
  const pullsOf = Map.groupBy(run.pulls, ({ node }) => node);
  const faultsOf = Map.groupBy(run.faults, ({ target }) => target);
  const shown = shownNodes(run, pullsOf, faultsOf);
  const left = run.nodes.length - shown.length;
  return html`<div class="space-time">
    ${left > 0 && html`<p class="empty">${shown.length} of ${run.nodes.length} nodes: those that failed, the slowest, and some of the others.</p>`}
    ${shown.map(({ name, zone }) => {
      const pulls = pullsOf.get(name) ?? [];
      const faults = faultsOf.get(name) ?? [];
      return html`<details class="row" name="${group}">
        <summary>
          <span class="row-name">${name} <span class="quiet">${zone}</span></span>
          ${drawing(run, pulls, faults, x)}
          <span class="row-end">${endOf(pulls)}</span>
        </summary>
        <div class="why-pulls">
          ${faults.map((fault) => html`<p class="fault-line">${sayFault(fault, run)}</p>`)}
          ${pulls.length === 0 ? html`<p class="quiet">It pulled nothing.</p>` : pulls.map((pull) => explainPull(pull, run))}
        </div>
      </details>`;
    })}
    <div class="row-axis"><span></span>${timeAxis(0, untilUs - run.startUs, sayTime)}<span></span></div>
  </div>`;
}

function drawing(
  run: RunRecord,
  pulls: readonly PullRecord[],
  faults: readonly FaultRecord[],
  x: (at: number) => number,
): Html {
  const label = pulls.map((pull) => `${pull.image}: ${pull.outcome} after ${sayTime(tookUs(pull, run))}`).join('; ');
  return html`<svg
    viewBox="0 0 ${drawingWidth} ${rowHeight}"
    preserveAspectRatio="none"
    role="img"
    aria-label="${label === '' ? 'no pull' : label}"
  >
    ${pulls.map((pull) => bar(pull, run, x))}
    ${faults.map((fault) => bandOf({ from: fault.fromUs, to: fault.toUs ?? run.endUs, says: sayFault(fault, run) }, x, rowHeight))}
  </svg>`;
}

/** Grows from the bottom as bytes come: what the own mirror gave, and above it what upstream gave. */
function bar(pull: PullRecord, run: RunRecord, x: (at: number) => number): Html {
  const endUs = pull.endUs ?? run.endUs;
  const height = (bytes: number): number =>
    rowHeight - 2 - (Math.min(bytes, pull.sizeBytes) / Math.max(pull.sizeBytes, 1)) * (rowHeight - 4);
  const area = (bytesAt: (point: PullRecord['progress'][number]) => number): Html => {
    const base = rowHeight - 2;
    const points = pull.progress.map((point) => `${x(point.atUs).toFixed(1)},${height(bytesAt(point)).toFixed(1)}`);
    return raw(`${x(pull.startUs).toFixed(1)},${base} ${points.join(' ')} ${x(endUs).toFixed(1)},${base}`);
  };
  const failed = pull.outcome !== 'ok';
  return html`<rect
      class="track"
      x="${x(pull.startUs).toFixed(1)}"
      y="2"
      width="${Math.max(2, x(endUs) - x(pull.startUs)).toFixed(1)}"
      height="${rowHeight - 4}"
    />
    <polygon class="s-upstream" points="${area(({ mirrorBytes, upstreamBytes }) => mirrorBytes + upstreamBytes)}" />
    <polygon class="s-peer-1" points="${area(({ mirrorBytes }) => mirrorBytes)}" />
    ${failed && html`<rect class="failed" x="${(x(endUs) - 5).toFixed(1)}" width="5" height="${rowHeight}" />`}`;
}

function endOf(pulls: readonly PullRecord[]): Html {
  const bad = pulls.find(({ outcome }) => outcome !== 'ok');
  if (bad !== undefined) return html`<span class="problem">${bad.outcome}</span>`;
  const slowest = Math.max(0, ...pulls.map(({ startUs, endUs = startUs }) => endUs - startUs));
  return html`${pulls.length === 0 ? '' : sayTime(slowest)}`;
}

export function sayFault({ kind, target, fromUs, toUs }: FaultRecord, { startUs }: RunRecord): string {
  const from = sayTime(Math.max(0, fromUs - startUs));
  return `${kind} of ${target} at ${from}${toUs === undefined ? ', to the end' : `, for ${sayTime(toUs - fromUs)}`}`;
}

function tookUs({ startUs, endUs }: PullRecord, run: RunRecord): number {
  return (endUs ?? run.endUs) - startUs;
}

type Node = RunRecord['nodes'][number];

/** All, or the most telling ones, in the cluster's order. */
function shownNodes(
  { nodes, endUs }: RunRecord,
  pullsOf: ReadonlyMap<string, readonly PullRecord[]>,
  faultsOf: ReadonlyMap<string, readonly FaultRecord[]>,
): readonly Node[] {
  if (nodes.length <= rowsMax) return nodes;
  const slowness = ({ name }: Node): number =>
    Math.max(0, ...(pullsOf.get(name) ?? []).map((pull) => (pull.endUs ?? endUs) - pull.startUs));
  const failed = nodes.filter(({ name }) => pullsOf.get(name)?.some(({ outcome }) => outcome !== 'ok') === true);
  const faulty = nodes.filter(({ name }) => faultsOf.has(name));
  const slowest = nodes.toSorted((a, b) => slowness(b) - slowness(a)).slice(0, rowsMax / 4);
  const every = Math.ceil(nodes.length / (rowsMax / 2));
  const spread = nodes.filter((_node, index) => index % every === 0);
  const quarter = rowsMax / 4;
  const chosen = new Set(
    [...failed.slice(0, quarter), ...faulty.slice(0, quarter), ...slowest, ...spread].slice(0, rowsMax),
  );
  return nodes.filter((node) => chosen.has(node));
}
