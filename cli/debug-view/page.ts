import { formatBytes } from '../terminal.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { measureSection } from './page-measure.ts';
import type { MeasureForm } from './page-measure.ts';
import { pullsSection } from './page-pulls.ts';
import type { DebugSnapshot, SavedView, Verdict } from './snapshot.ts';
import { formatAgo, formatRate, formatTime, sourceNames } from './words.ts';

/**
 * The whole page; with a problem of the form only that and the state, since whoever is refused may ask again at once. What changes stands in sections
 * of its own, which the script replaces one by one.
 */
export function renderPage(snapshot: DebugSnapshot, form: MeasureForm): string {
  const nameOf = sourceNames(snapshot);
  const { verdict, node } = snapshot;
  const isWhole = form.problem === undefined;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${verdict.headline} · peili</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="style.css" />
      </head>
      <body>
        ${isWhole && html`<a class="skip" href="#pulls">To the last pulls</a>`}
        <div class="page">
          <header class="top">
            <span class="name">peili</span>
            <span class="quiet"
              >${node === null ? 'no node yet' : html`node <span class="mono" title="${node.id}">…${node.id.slice(-8)}</span>`}${node !== null && node.zone !== '' && ` in ${node.zone}`}</span
            >
            <span class="spring"></span>
            <span class="quiet" id="live" role="status"><a href=".">look again</a></span>
          </header>
          <main>
            <section id="state" data-live aria-label="State">${stateOf(snapshot, nameOf)}</section>
            ${isWhole && html`<section id="troubles" data-live>${troublesOf(snapshot)}</section>`}
            ${isWhole && html`<section id="pulls" data-live tabindex="-1">${pullsSection(snapshot, nameOf)}</section>`}
            ${measureSection(snapshot, form, nameOf)}
            ${isWhole && html`<section id="members" data-live>${membersOf(snapshot)}</section>`}
            ${isWhole && html`<section id="images" data-live>${imagesOf(snapshot)}</section>`}
          </main>
          <footer>
            peili ${snapshot.version}. The same <a href="api">as JSON</a>, and <a href="/metrics">metrics</a>. Nothing
            of this is stored.
          </footer>
        </div>
        <script src="script.js"></script>
      </body>
    </html> `.markup;
}

const marks: Readonly<Record<Verdict['state'], Html>> = {
  working: html`<path d="M7.5 12.5l3 3 6-6.5" />`,
  waiting: html`<path d="M12 7.5v5l3 2" />`,
  starting: html`<path d="M12 7.5v5l3 2" />`,
  trouble: html`<path d="M12 7v6M12 16.6v.1" />`,
};

function stateOf(snapshot: DebugSnapshot, nameOf: (source: string) => string): Html {
  const { verdict, atMs, lastSuccess, canary, members, saved } = snapshot;
  return html`<div class="verdict is-${verdict.state}">
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <g class="mark">
          <circle cx="12" cy="12" r="10" />
          ${marks[verdict.state]}
        </g>
      </svg>
      <h1>${verdict.headline}</h1>
      <p>${verdict.explanation}</p>
    </div>
    <dl class="figures">
      ${figure('From peers to containerd', formatBytes(saved.peerBytes), otherBytes(saved))} ${savedTime(saved)}
      ${
        lastSuccess === null
          ? figure('Last pull from a peer', 'pending', 'none since the start of this mirror', true)
          : figure(
              'Last pull from a peer',
              html`<time datetime="${new Date(lastSuccess.atMs).toISOString()}"
                >${formatAgo(atMs - lastSuccess.atMs)}</time
              >`,
              `${lastSuccess.image}, from ${lastSuccess.from.length > 1 ? `${lastSuccess.from.length} peers` : lastSuccess.from.map(nameOf).join('')}`,
              true,
            )
      }
      ${
        canary === null
          ? figure('Canary', 'not measured', 'whether containerd uses this mirror shows with the next pull', true)
          : figure(
              'Canary',
              canary.arrived ? 'arrived' : 'did not arrive',
              `${formatAgo(atMs - canary.atMs)}, in ${formatTime(canary.tookMs)}`,
              true,
            )
      }
      ${figure('Members', String(members.total), `${members.connected} connected`)}
    </dl>`;
}

function figure(name: string, value: string | Html, note: string, small = false): Html {
  return html`<div class="figure"><dt>${name}</dt><dd${small && html` class="small"`}>${value}</dd><div class="note">${note}</div></div>`;
}

function otherBytes({ localBytes, givenBytes }: SavedView): string {
  const local = localBytes === 0 ? '' : `, ${formatBytes(localBytes)} from its own store`;
  return `${formatBytes(givenBytes)} given to other mirrors${local}`;
}

/** Against what the upstream was seen to do; the mirror itself never asks it. */
function savedTime({ upstream, savedMs, busyMs, peerBytes, localBytes }: SavedView): Html {
  if (upstream === null || savedMs === null) {
    const note = 'the upstream shows its rate when a layer comes that no peer had';
    return figure('Time saved', 'not measured yet', note, true);
  }
  const seen = `upstream gave ${formatBytes(upstream.bytesPerSecond)}/s over ${upstream.blobs} ${upstream.blobs === 1 ? 'layer' : 'layers'}`;
  const ours =
    busyMs > 0 && peerBytes + localBytes > 0 ? `, this mirror ${formatRate(peerBytes + localBytes, busyMs)}` : '';
  const value = savedMs >= 0 ? formatTime(savedMs) : `${formatTime(-savedMs)} lost`;
  return figure('Time saved', value, seen + ours);
}

function troublesOf({ troubles, atMs }: DebugSnapshot): Html {
  if (troubles.length === 0) return html``;
  return html`<h2>To look at</h2>
    <div class="sheet">
      ${troubles.map(
        (trouble) =>
          html`<div class="trouble">
            <strong>${trouble.what}</strong>
            <span class="quiet"
              >${formatAgo(atMs - trouble.atMs)}${trouble.count > 1 && `, ${trouble.count} times`}</span
            ><br /><span class="mono">${trouble.reason}</span>
          </div>`,
      )}
    </div>`;
}

function membersOf({ members }: DebugSnapshot): Html {
  const left = members.total - members.list.length;
  return html`<h2>Members <span class="quiet">${members.total}</span></h2>
    <div class="sheet">
      ${
        members.total === 0
          ? html`<p class="empty">No other member is known.</p>`
          : html`<div class="scroll">
                <table class="members">
                  <thead>
                    <tr>
                      <th scope="col">Address</th>
                      <th scope="col">Zone</th>
                      <th scope="col">Kind</th>
                      <th scope="col">Connection</th>
                      <th scope="col">Id</th>
                    </tr>
                  </thead>
                  <tbody>
                    ${members.list.map(
                      ({ address, registryPort, zone, kind, connected, id }) =>
                        html`<tr>
                          <td class="mono">${address.includes(':') ? `[${address}]` : address}:${registryPort}</td>
                          <td>${zone === '' ? html`<span class="quiet">no zone</span>` : html`<bdi>${zone}</bdi>`}</td>
                          <td>${kind}</td>
                          <td>${connected ? 'connected' : html`<span class="quiet">dialled on need</span>`}</td>
                          <td class="mono quiet" title="${id}">…${id.slice(-8)}</td>
                        </tr>`,
                    )}
                  </tbody>
                </table>
              </div>
              ${left > 0 && html`<p class="empty">and ${left} more</p>`}`
      }
    </div>`;
}

function imagesOf({ images, advertised }: DebugSnapshot): Html {
  const keys =
    advertised === null
      ? 'nothing advertised yet'
      : `${advertised.keys} keys advertised: ${advertised.digests} digests and ${advertised.tags} tags`;
  const left = images.total - images.names.length;
  return html`<h2>Images of this node <span class="quiet">${images.total}; ${keys}</span></h2>
    <div class="sheet">
      ${
        images.total === 0
          ? html`<p class="empty">The content store names no image.</p>`
          : html`<ul class="names">
              ${images.names.map((name) => html`<li><bdi>${name}</bdi></li>`)}${left > 0 && html`<li class="quiet">and ${left} more</li>`}
            </ul>`
      }
    </div>`;
}
