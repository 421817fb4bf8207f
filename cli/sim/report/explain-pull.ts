import type { ObjectRecord, PullRecord, RunRecord } from '../../../sim/index.ts';
import { html } from '../../debug-view/html.ts';
import type { Html } from '../../debug-view/html.ts';
import { shortKey } from '../../debug-view/words.ts';
import { saySize, sayShare, sayTime } from '../words.ts';
import { drawingWidth, scale } from './chart.ts';

const sourcesMax = 8;

/** One pull in words and small bars: who gave what, how long each object took, and what went another way than straight ahead. */
export function explainPull(pull: PullRecord, run: RunRecord): Html {
  const { image, outcome, startUs, endUs, sizeBytes, sources, objects, steps, stepsDropped } = pull;
  const given = sources.reduce((sum, { bytes }) => sum + bytes, 0);
  const took = endUs === undefined ? 'was still under way at the end' : `took ${sayTime(endUs - startUs)}`;
  return html`<div class="why-pull">
    <h4>
      <bdi>${image}</bdi>
      <span class="quiet"
        >${saySize(sizeBytes)}, began at ${sayTime(startUs - run.startUs)}, ${took}:
        <span class="${outcome === 'ok' ? 'quiet' : 'problem'}">${outcome}</span></span
      >
    </h4>
    <p class="keys">
      ${sources.slice(0, sourcesMax).map(({ source, bytes }) => html`<span><i class="${source === 'upstream' ? 's-upstream' : 's-peer-1'}"></i>${source === 'local' ? 'its own store' : source} <span class="quiet">${saySize(bytes)}, ${sayShare(bytes, given)}</span></span>`)}
      ${sources.length > sourcesMax && html`<span class="quiet">and ${sources.length - sourcesMax} more</span>`}
    </p>
    <ul class="why-objects">
      ${objects.map((object) => objectOf(object, pull, run))}
    </ul>
    ${
      steps.length > 0 &&
      html`<ol class="why-steps">
        ${steps.map(
          ({ atUs, key, says }) =>
            html`<li>
              <span class="quiet">at ${sayTime(atUs - run.startUs)}, <span class="mono">${shortKey(key)}</span>:</span>
              ${says}
            </li>`,
        )}
        ${stepsDropped > 0 && html`<li class="quiet">and ${stepsDropped} more</li>`}
      </ol>`
    }
  </div>`;
}

function objectOf(
  { key, kind, startUs, endUs, bytes, requests }: ObjectRecord,
  pull: PullRecord,
  run: RunRecord,
): Html {
  const x = scale(pull.startUs, pull.endUs ?? run.endUs, drawingWidth);
  return html`<li>
    <span
      ><span class="mono" title="${key}">${shortKey(key)}</span>
      <span class="quiet">${kind}${requests > 1 && `, ${requests} requests`}</span></span
    >
    <span class="amount">${bytes === 0 ? '' : `${saySize(bytes)} in `}${sayTime(endUs - startUs)}</span>
    <svg class="bar" viewBox="0 0 ${drawingWidth} 6" preserveAspectRatio="none" aria-hidden="true">
      <rect
        class="s-peer-3"
        x="${x(startUs).toFixed(1)}"
        width="${Math.max(3, x(endUs) - x(startUs)).toFixed(1)}"
        height="6"
      />
    </svg>
  </li>`;
}
