import { formatBytes } from '../terminal.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { sourceKeys } from './page-pulls.ts';
import type { DebugSnapshot, MeasuredObject, MeasurementView, SourceBytes } from './snapshot.ts';
import { formatAgo, formatRate, formatTime, lookupWords, shortKey, stepWords } from './words.ts';

/** What the form shows after it was sent. */
export interface MeasureForm {
  readonly reference: string;
  readonly peersOnly: boolean;
  readonly problem: string | undefined;
}

export const emptyForm: MeasureForm = { reference: '', peersOnly: true, problem: undefined };

export function measureSection(
  snapshot: DebugSnapshot,
  { reference, peersOnly, problem }: MeasureForm,
  nameOf: (source: string) => string,
): Html {
  const [first = ''] = snapshot.images.names;
  return html`<section id="measure" aria-labelledby="measure-title">
    <h2 id="measure-title">Measure a pull</h2>
    <div class="sheet">
      <form id="measure-form" method="post" action="measure">
        <label for="reference"
          >Look an image up and read all of it as containerd would be given it. Nothing is kept.</label
        >
        <span class="field"
          ><input
            type="text"
            id="reference"
            name="reference"
            list="known"
            required
            maxlength="512"
            autocomplete="off"
            spellcheck="false"
            autocapitalize="off"
            placeholder="registry/repository:tag"
            value="${reference === '' ? first : reference}"
          /><button>Measure</button></span
        >
        <datalist id="known">${snapshot.images.names.map((name) => html`<option value="${name}"></option>`)}</datalist>
        <label class="check"
          ><input type="checkbox" name="peers" value="only" ${peersOnly && html` checked`} />from peers, though this
          node may have it</label
        >
        <p id="measure-said" role="status" class="${problem === undefined ? 'quiet' : 'problem'}">${problem}</p>
      </form>
      <div id="measurements" data-live>
        ${snapshot.measurements.map((each) => resultOf(each, snapshot.atMs, nameOf))}
      </div>
    </div>
  </section>`;
}

function resultOf(measurement: MeasurementView, atMs: number, nameOf: (source: string) => string): Html {
  const { reference, lookup, bytes, tookMs, objects, stopped } = measurement;
  const missing = objects.filter(({ status }) => status >= 400).length;
  const { holders, outcome } = lookup;
  const found = `The lookup took ${formatTime(lookup.tookMs)}: ${lookupWords({ outcome, sources: holders.length })}.`;
  const pulled =
    bytes === 0 ? 'Nothing came.' : `${formatBytes(bytes)} in ${formatTime(tookMs)}, ${formatRate(bytes, tookMs)}.`;
  return html`<div class="result">
    <h3><bdi>${reference}</bdi> <span class="quiet">${formatAgo(atMs - measurement.atMs)}</span></h3>
    <p>
      ${found}
      ${pulled}${missing > 0 && html` <span class="problem">${missing} of ${objects.length} objects were not found: from upstream then.</span>`}${stopped !== null && html` <span class="problem">${stopped}</span>`}
    </p>
    ${bytes > 0 && sourceKeys(totalsOf(objects), bytes, nameOf)}
    <details id="measured-${measurement.atMs}">
      <summary>${objects.length} ${objects.length === 1 ? 'object' : 'objects'}</summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Object</th>
              <th scope="col">From</th>
              <th scope="col" class="number">Size</th>
              <th scope="col" class="number">Head</th>
              <th scope="col" class="number">Time</th>
            </tr>
          </thead>
          <tbody>
            ${objects.map((object) => rowOf(object, nameOf))}
          </tbody>
        </table>
      </div>
    </details>
  </div>`;
}

function rowOf(
  { key, resource, status, bytes, headMs, tookMs, sources, steps }: MeasuredObject,
  nameOf: (source: string) => string,
): Html {
  const from =
    status >= 400 || status === 0
      ? `answered ${status === 0 ? 'nothing' : status}`
      : sources.map(({ source }) => nameOf(source)).join(', ');
  return html`<tr>
    <td><span class="mono" title="${key}">${shortKey(key)}</span> <span class="quiet">${resource}</span></td>
    <td>${from}${steps.map((step) => html`<br /><span class="quiet">${stepWords(step, nameOf)}</span>`)}</td>
    <td class="number">${formatBytes(bytes)}</td>
    <td class="number">${formatTime(headMs)}</td>
    <td class="number">${formatTime(tookMs)}</td>
  </tr>`;
}

function totalsOf(objects: readonly MeasuredObject[]): SourceBytes[] {
  const totals = new Map<string, number>();
  for (const { sources } of objects) {
    for (const { source, bytes } of sources) totals.set(source, (totals.get(source) ?? 0) + bytes);
  }
  return [...totals].map(([source, bytes]) => ({ source, bytes })).sort((a, b) => b.bytes - a.bytes);
}
