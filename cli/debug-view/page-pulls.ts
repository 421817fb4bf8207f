import { localSourceId } from '../../core/index.ts';
import { formatBytes } from '../terminal.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import type { DebugSnapshot, ImagePullView, ObjectView, SourceBytes, StepView } from './snapshot.ts';
import {
  formatAgo,
  formatRate,
  formatShare,
  formatTime,
  lookupWords,
  mendWords,
  outcomeWords,
  shortKey,
  stepWords,
} from './words.ts';

type NameOf = (source: string) => string;
/** The class that colours a source. */
type ClassOf = (source: string) => string;

/** A wait that a person notices in a pull. */
const noticedWaitMs = 100;

export function pullsSection({ pulls, atMs }: DebugSnapshot, nameOf: NameOf): Html {
  return html`<h2>Last pulls</h2>
    <div class="sheet">
      ${
        pulls.length === 0
          ? html`<p class="empty">
              containerd has asked for nothing yet. Pull an image on this node, and it shows here.
            </p>`
          : pulls.map((pull) => pullOf(pull, atMs, nameOf))
      }
    </div>`;
}

function pullOf(pull: ImagePullView, atMs: number, nameOf: NameOf): Html {
  const classOf = sourceClasses(pull.sources);
  const waitedMs = pull.objects.reduce((most, { waitedMs }) => Math.max(most, waitedMs), 0);
  return html`<details class="pull" id="pull-${pull.atMs}-${shortId(pull.image)}">
    <summary>
      <svg class="chevron" viewBox="0 0 10 10" aria-hidden="true"><path d="M2 0l6 5-6 5z" fill="currentColor" /></svg>
      <span class="title"><bdi>${pull.image}</bdi></span>
      <span class="when">${pull.open ? 'under way' : formatAgo(atMs - pull.atMs)}</span>
      <span class="story">
        <span class="facts"
          >${pullFacts(pull)}${waitedMs >= noticedWaitMs && html` <span class="slow">Waited ${formatTime(waitedMs)} for sources that failed.</span>`}</span
        >
        ${pull.bytes > 0 && html`${shareBar(pull, classOf)}${sourceKeys(pull.sources, pull.bytes, nameOf, classOf)}`}
      </span>
    </summary>
    <ul class="objects">
      ${pull.objects.map((object) => objectOf(object, pull, nameOf, classOf))}
    </ul>
    ${pull.objectsDropped > 0 && html`<p class="empty">and ${pull.objectsDropped} more requests</p>`}
  </details>`;
}

function pullFacts(pull: ImagePullView): string {
  const missed = pull.objects.filter(({ end }) => end === 'not-found').length;
  const filtered = pull.objects.some(({ end }) => end === 'filtered');
  const isOff = pull.objects.some(({ end }) => end === 'switched-off');
  if (pull.bytes === 0) {
    if (isOff) return 'Switched off by the operator: containerd was sent upstream.';
    if (filtered) return 'Kept out by a filter: containerd was sent upstream.';
    return missed > 0 ? 'Nobody had it: containerd was sent upstream.' : `${pull.objects.length} requests, no bytes.`;
  }
  const switches = pull.objects.reduce(
    (sum, { steps }) => sum + steps.filter(({ type }) => type === 'switched').length,
    0,
  );
  const parts = [`${formatBytes(pull.bytes)} in ${formatTime(pull.tookMs)}`];
  if (missed > 0)
    parts.push(
      missed === pull.objects.length ? 'nobody had it' : `nobody had ${missed} of ${pull.objects.length} objects`,
    );
  if (switches > 0) parts.push(`${switches} ${switches === 1 ? 'switch' : 'switches'} of source`);
  return `${parts.join(', ')}.`;
}

/** Peers by how much they gave; three colours are told apart, the names beside them say the rest. */
function sourceClasses(sources: readonly SourceBytes[]): ClassOf {
  const peers = sources
    .map(({ source }) => source)
    .filter((source) => source !== localSourceId && source !== 'upstream');
  return (source) => {
    if (source === localSourceId) return 's-local';
    if (source === 'upstream') return 's-upstream';
    return `s-peer-${Math.min(3, Math.max(0, peers.indexOf(source)) + 1)}`;
  };
}

const barWidth = 1000;

function shareBar({ sources, bytes }: ImagePullView, classOf: ClassOf): Html {
  let x = 0;
  const parts = sources.map(({ source, bytes: part }) => {
    const width = (part / bytes) * barWidth;
    x += width;
    return html`<rect
      class="${classOf(source)}"
      x="${(x - width).toFixed(1)}"
      width="${width.toFixed(1)}"
      height="8"
    />`;
  });
  return html`<svg class="bar" viewBox="0 0 ${barWidth} 8" preserveAspectRatio="none" aria-hidden="true">
    ${parts}
  </svg>`;
}

export function sourceKeys(
  sources: readonly SourceBytes[],
  bytes: number,
  nameOf: NameOf,
  classOf: ClassOf = sourceClasses(sources),
): Html {
  return html`<span class="keys"
    >${sources.map(
      ({ source, bytes: part }) =>
        html`<span
          ><i class="${classOf(source)}"></i>${nameOf(source)}
          <span class="quiet">${formatBytes(part)}, ${formatShare(part, bytes)}</span></span
        >`,
    )}</span
  >`;
}

function objectOf(object: ObjectView, pull: ImagePullView, nameOf: NameOf, classOf: ClassOf): Html {
  return html`<li class="object">
    <span
      ><span class="mono" title="${object.key}">${shortKey(object.key)}</span
      ><span class="kind">${object.resource}${object.requests > 1 && `, ${object.requests} requests`}</span></span
    >
    <span class="amount">${amountOf(object)}</span>
    ${timeBar(object, pull, nameOf, classOf)} ${whyOf(object, nameOf)}
  </li>`;
}

function amountOf({ bytes, end, tookMs }: ObjectView): string {
  if (bytes > 0) return `${formatBytes(bytes)} in ${formatTime(tookMs)}, ${formatRate(bytes, tookMs)}`;
  // HEAD: the tag was resolved, or the size asked for.
  return end === 'complete' ? `found in ${formatTime(tookMs)}` : formatTime(tookMs);
}

/** When each source gave its bytes, on the time line of the whole pull. */
function timeBar({ runs, fromMs, tookMs }: ObjectView, pull: ImagePullView, nameOf: NameOf, classOf: ClassOf): Html {
  const scale = barWidth / Math.max(pull.tookMs, 1);
  const label = runs.map(
    ({ source, from, to, fromMs: began, toMs }) =>
      `${nameOf(source)}: ${formatBytes(to - from)} from ${formatTime(began)} to ${formatTime(toMs)}`,
  );
  return html`<svg
    class="bar"
    viewBox="0 0 ${barWidth} 6"
    preserveAspectRatio="none"
    role="img"
    aria-label="${label.length === 0 ? 'no bytes' : label.join('; ')}"
  >
    <rect
      x="${(fromMs * scale).toFixed(1)}"
      width="${Math.max(1, tookMs * scale).toFixed(1)}"
      y="2.5"
      height="1"
      fill="currentColor"
      opacity=".35"
    />
    ${runs.map(
      ({ source, fromMs: began, toMs }) =>
        html`<rect
          class="${classOf(source)}"
          x="${(began * scale).toFixed(1)}"
          width="${Math.max(3, (toMs - began) * scale).toFixed(1)}"
          height="6"
        />`,
    )}
  </svg>`;
}

/** Below it a lookup explains nothing. */
const noticedLookupMs = 50;

function whyOf(object: ObjectView, nameOf: NameOf): Html {
  const { stepsDropped, lookup, sources } = object;
  const outcome = outcomeWords(object);
  const lines: Html[] = [];
  if (outcome !== '') lines.push(html`<li>${outcome}</li>`);
  const isEmpty = sources.length === 0 && object.end !== 'complete';
  if (lookup !== null && (isEmpty || lookup.tookMs >= noticedLookupMs)) {
    lines.push(html`<li>the lookup took ${formatTime(lookup.tookMs)}: ${lookupWords(lookup)}</li>`);
  }
  for (const step of toldSteps(object.steps)) {
    const mend = 'reason' in step ? mendWords(step.reason) : undefined;
    lines.push(
      html`<li${mend !== undefined && html` title="${mend}"`}>at ${formatTime(step.atMs)}: ${stepWords(step, nameOf)}</li>`,
    );
  }
  if (stepsDropped > 0) lines.push(html`<li>and ${stepsDropped} more</li>`);
  return lines.length === 0
    ? html``
    : html`<ul class="why">
        ${lines}
      </ul>`;
}

/** Without what the step before has said: that a stalled source failed, and where a switch resumes. */
function toldSteps(steps: readonly StepView[]): readonly StepView[] {
  return steps.filter((step, index) => {
    const before = steps[index - 1];
    if (step.type === 'failed') return !(before?.type === 'stalled' && before.source === step.source);
    if (step.type === 'resumed') return !(before?.type === 'switched' && before.to === step.source);
    return true;
  });
}

/** For an element's id: a hash is enough, since it only keeps what was opened open. */
function shortId(text: string): string {
  let hash = 0;
  for (const character of text) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 0x7fffffff;
  return hash.toString(36);
}
