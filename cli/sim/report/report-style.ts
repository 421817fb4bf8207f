/** What the report has besides the debug view's style: both are one family. */
export const reportStyle = `
.lede { max-width: 46rem; color: var(--quiet); font-size: 1.02rem; margin-top: .4rem; }
.troubles li { color: var(--bad); margin: .2rem 0; }
.troubles { padding: .9rem 1.1rem .9rem 2.2rem; margin: 0; }
/* Other colours than those of sources: a line is a policy. */
:root { --p-1: #b5488f; --p-2: #5c635f; } @media (prefers-color-scheme: dark) { :root { --p-1: #f08ac8; --p-2: #9fa8a3; } }
.p-0 { stroke: var(--local); background: var(--local); } .p-1 { stroke: var(--p-1); background: var(--p-1); }
.p-2 { stroke: var(--p-2); background: var(--p-2); } .p-3 { stroke: var(--peer-2); background: var(--peer-2); }
.p-4 { stroke: var(--peer-3); background: var(--peer-3); } .p-5 { stroke: var(--ink); background: var(--ink); }
.league th, .league td { padding: .38rem .8rem; text-align: left; vertical-align: baseline; font-variant-numeric: tabular-nums; }
.league th[scope="row"] { font-weight: 400; white-space: nowrap; } .league th:first-child, .league td:first-child { padding-left: 1.1rem; }
.league th.policy { font-weight: 600; white-space: nowrap; color: var(--ink); font-size: .95rem; }
.league th.policy i { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px; margin-right: .5rem; }
.league td { white-space: nowrap; } .league .band { color: var(--quiet); font-size: .82rem; display: inline-block; }
.league td.says { font-size: .82rem; color: var(--quiet); min-width: 14rem; white-space: normal; }
.legend-text { display: none; font-size: .84rem; margin: .6rem 0 0; } .legend-text summary { cursor: pointer; }
.legend-text dl { margin: .4rem 0 0; } .legend-text dt { color: var(--ink); } .legend-text dd { margin: 0 0 .35rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1.25rem; }
.chart-sheet { padding: 1rem 1.1rem .6rem; }
.chart-sheet h3 { font-size: .95rem; font-weight: 600; }
.chart { margin: .8rem 0 0; }
.plot { position: relative; padding: .6rem 0 1.6rem 3.9rem; }
.plot > svg { display: block; width: 100%; height: 12rem; overflow: visible; }
.y-axis { position: absolute; left: 0; top: .6rem; bottom: 1.6rem; width: 3.5rem; font-size: .76rem; color: var(--quiet); }
.y-axis span { position: absolute; right: 0; transform: translateY(50%); white-space: nowrap; }
.x-axis { position: relative; height: 1.4rem; font-size: .76rem; color: var(--quiet); }
.x-axis span { position: absolute; transform: translateX(-50%); white-space: nowrap; padding-top: .3rem; }
.x-axis span:first-child { transform: none; } .x-axis span.last { transform: translateX(-100%); }
.plot .x-axis { margin-bottom: -1.4rem; }
.grid { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.line { fill: none; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.fault { fill: var(--bad); opacity: .22; }
.track { fill: var(--track); }
.failed { fill: var(--bad); }
.space-time { padding: .5rem 0 .4rem; }
.row summary, .row-axis { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr) 5.5rem; gap: .7rem; align-items: center; padding: 1px 1.1rem; }
.row summary { list-style: none; cursor: pointer; }
.row summary::-webkit-details-marker { display: none; }
.row summary:hover, .row[open] > summary { background: var(--soft); }
.row summary:focus-visible { outline-offset: -2px; }
.row svg:not(.bar) { display: block; width: 100%; height: 1.15rem; }
.row-name { font-size: .82rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.row-end { font-size: .82rem; text-align: right; color: var(--quiet); white-space: nowrap; }
.why-pulls { padding: .6rem 1.1rem 1rem 2.2rem; background: var(--soft); display: grid; gap: 1rem; }
.why-pull h4 { margin: 0 0 .4rem; font-size: .92rem; font-weight: 600; }
.why-pull h4 .quiet, .why-pull h4 .problem { font-weight: 400; }
.why-objects { list-style: none; margin: .6rem 0 0; padding: 0; display: grid; gap: .35rem; }
.why-objects li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 1rem; font-size: .82rem; }
.why-objects .bar { grid-column: 1 / -1; height: 4px; }
.why-steps { margin: .7rem 0 0; padding-left: 1.2rem; font-size: .84rem; }
.fault-line { color: var(--bad); font-size: .87rem; }
.legend { padding: .9rem 1.1rem 0; }
.legend i.fault-key { background: var(--bad); opacity: .35; } .legend i.failed-key { background: var(--bad); }
pre { margin: 0; padding: .9rem 1.1rem; overflow-x: auto; font: .84rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; overflow-wrap: normal; }
details.text > summary { cursor: pointer; padding: .8rem 1.1rem; }
.run + .run { margin-top: 1.25rem; }
@media (max-width: 48rem) {
  .league td.says { display: none; } .legend-text { display: block; }
  .league th, .league td { padding: .35rem .4rem; font-size: .84rem; } .league th.policy { font-size: .84rem; }
  .league th[scope="row"] { white-space: normal; min-width: 4.6rem; }
  .league th:first-child, .league td:first-child { padding-left: .8rem; }
}
@media (max-width: 34rem) {
  .league th.policy i { display: block; } .league .band { display: block; }
  .row summary, .row-axis { grid-template-columns: 4.2rem minmax(0, 1fr) 4.2rem; gap: .4rem; padding: 1px .7rem; }
  .row-name .quiet { display: none; }
  .why-pulls { padding: .6rem .7rem 1rem; }
  .plot { padding-left: 3.4rem; } .y-axis { width: 3.1rem; }
}
@media print { .row summary { cursor: auto; } }
`;

/** Arrow keys go from row to row, Escape closes: all else works without it. */
export const reportScript = `
document.addEventListener('keydown', (event) => {
  const row = event.target.closest('.row');
  if (row === null) return;
  if (event.key === 'Escape') row.open = false;
  const step = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key];
  const summary = step && row[step] && row[step].querySelector('summary');
  if (!summary) return;
  event.preventDefault();
  summary.focus();
});
`;
