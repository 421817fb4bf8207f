/** The page's own style: no font, image or sheet from elsewhere. Colours of text keep 4.5:1 and more against their grounds (WCAG 2.2, 1.4.3). */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #f6f6f3; --sheet: #ffffff; --ink: #1d211f; --quiet: #5c635f; --line: #dfe1dc; --soft: #eef0ec;
  --accent: #0b6b57; --good: #0b6b57; --wait: #7a5b00; --bad: #b3261e; --focus: #1a5fd0;
  --local: #0f8a70; --peer-1: #2f6fd6; --peer-2: #7a5bd0; --peer-3: #3aa3c4; --upstream: #d08a1d; --track: #e6e8e3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121514; --sheet: #1a1e1c; --ink: #e7eae8; --quiet: #9fa8a3; --line: #2c322f; --soft: #222725;
    --accent: #5fd0b4; --good: #5fd0b4; --wait: #e4bf5a; --bad: #ff8a80; --focus: #8ab4ff;
    --local: #4cc3a5; --peer-1: #6ea3ff; --peer-2: #a78bfa; --peer-3: #62c6e0; --upstream: #e6ad55; --track: #2b302d;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
.page { max-width: 61rem; margin: 0 auto; padding: 1.25rem 1.25rem 4rem; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--sheet); padding: .5rem 1rem; z-index: 1; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .92em; }
.quiet { color: var(--quiet); }
h1, h2, h3, p { margin: 0; }
h2 { font-size: 1rem; font-weight: 600; margin: 2.5rem 0 .75rem; }
h2 .quiet { font-weight: 400; margin-left: .35rem; }

.top { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; font-size: .87rem; }
.top .name { font-weight: 650; letter-spacing: .01em; font-size: 1rem; }
.top .spring { flex: 1; }

.verdict { margin: 2rem 0 1.75rem; display: grid; grid-template-columns: auto 1fr; gap: 0 .9rem; align-items: start; }
.verdict svg { width: 1.5rem; height: 1.5rem; margin-top: .5rem; }
.verdict h1 { font-size: clamp(1.6rem, 5vw, 2.3rem); line-height: 1.2; font-weight: 650; letter-spacing: -.015em; }
.verdict p { grid-column: 2; margin-top: .4rem; max-width: 46rem; color: var(--quiet); font-size: 1.02rem; }
.verdict .mark { fill: none; stroke: currentColor; stroke-width: 2.4; stroke-linecap: round; stroke-linejoin: round; }
.is-working { color: var(--good); } .is-waiting, .is-starting { color: var(--wait); } .is-trouble { color: var(--bad); }
.verdict h1 { color: var(--ink); }

.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.2rem, 1fr)); gap: 1px; margin: 0; background: var(--sheet);
  border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.figure { box-shadow: 0 0 0 1px var(--line); padding: 1rem 1.1rem 1.05rem; min-width: 0; }
.figure dt { font-size: .82rem; color: var(--quiet); }
.figure dd { margin: .1rem 0 0; font-size: 1.5rem; line-height: 1.25; font-weight: 600; letter-spacing: -.01em; }
.figure dd.small { font-size: 1.08rem; line-height: 1.55; }
.figure .note { font-size: .84rem; color: var(--quiet); margin-top: .2rem; }

.sheet { background: var(--sheet); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.empty { padding: 1.1rem; color: var(--quiet); }

.pull + .pull { border-top: 1px solid var(--line); }
.pull summary { list-style: none; cursor: pointer; padding: .9rem 1.1rem; display: grid; gap: .45rem .9rem;
  grid-template-columns: auto minmax(0, 1fr) auto; align-items: baseline; }
.pull summary::-webkit-details-marker { display: none; }
.pull summary:hover { background: var(--soft); }
.pull summary:focus-visible { outline-offset: -3px; border-radius: 12px; }
.chevron { width: .6rem; height: .6rem; align-self: center; color: var(--quiet); }
.pull[open] .chevron { transform: rotate(90deg); }
.pull .title { font-weight: 600; min-width: 0; }
.pull .when { font-size: .84rem; color: var(--quiet); white-space: nowrap; }
.pull .story { grid-column: 2 / -1; display: grid; gap: .45rem; }
.pull .facts { font-size: .87rem; color: var(--quiet); }
.slow { color: var(--wait); }
.bar { display: block; width: 100%; height: 8px; border-radius: 4px; background: var(--track); }
.s-local { fill: var(--local); background: var(--local); } .s-upstream { fill: var(--upstream); background: var(--upstream); }
.s-peer-1 { fill: var(--peer-1); background: var(--peer-1); } .s-peer-2 { fill: var(--peer-2); background: var(--peer-2); }
.s-peer-3 { fill: var(--peer-3); background: var(--peer-3); }
.keys { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .84rem; color: var(--quiet); list-style: none; margin: 0; padding: 0; }
.keys i { display: inline-block; width: .6rem; height: .6rem; border-radius: 2px; margin-right: .4rem; }

.objects { list-style: none; margin: 0; padding: .25rem 1.1rem 1rem 2.6rem; display: grid; gap: .8rem; }
.object { display: grid; gap: .15rem 1rem; grid-template-columns: minmax(0, 1fr) auto; font-size: .87rem; }
.object .bar { grid-column: 1 / -1; height: 6px; border-radius: 3px; }
.object .kind { color: var(--quiet); margin-left: .5rem; }
.object .amount { text-align: right; }
.object .why { grid-column: 1 / -1; margin: 0; padding: 0 0 0 1rem; color: var(--quiet); }
.object .why li::marker { color: var(--wait); }

form { padding: 1.1rem; display: grid; gap: .7rem; }
.field { display: flex; flex-wrap: wrap; gap: .6rem; }
.field input { flex: 1 1 18rem; min-width: 0; }
input[type=text] { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--quiet); border-radius: 8px; padding: .5rem .7rem; }
button { font: inherit; font-weight: 600; border: 0; border-radius: 8px; padding: .5rem 1.2rem; background: var(--accent); color: var(--sheet); cursor: pointer; }
button:disabled { opacity: .6; cursor: progress; }
.check { display: flex; gap: .5rem; align-items: baseline; font-size: .9rem; color: var(--quiet); }
.check input { accent-color: var(--accent); }
label { font-size: .9rem; }
.problem { color: var(--bad); }
.result { border-top: 1px solid var(--line); padding: 1rem 1.1rem; display: grid; gap: .6rem; }
.result h3 { font-size: .95rem; font-weight: 600; }
.result h3 .quiet { font-weight: 400; margin-left: .3rem; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th { text-align: left; font-weight: 500; color: var(--quiet); font-size: .82rem; }
th, td { padding: .55rem 1.1rem; vertical-align: baseline; }
tbody tr { border-top: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; }
.names { columns: 2 22rem; padding: .9rem 1.1rem; margin: 0; list-style: none; font-size: .88rem; }
.names li { break-inside: avoid; padding: .1rem 0; }
.trouble { padding: .8rem 1.1rem; font-size: .92rem; }
.trouble + .trouble { border-top: 1px solid var(--line); }
footer { margin-top: 3rem; font-size: .84rem; color: var(--quiet); }
@media (max-width: 34rem) {
  .page { padding: 1rem .8rem 3rem; }
  .verdict { margin: 1.4rem 0; }
  .pull summary { grid-template-columns: auto minmax(0, 1fr); padding: .8rem; }
  .pull .when { grid-column: 2; }
  .objects { padding: .25rem .8rem 1rem; }
  .object { grid-template-columns: 1fr; } .object .amount { text-align: left; }
  th, td { padding: .5rem .8rem; }
  .members thead { display: none; }
  .members tr { display: block; padding: .5rem .8rem; }
  .members td { display: inline; padding: 0; margin-right: .8rem; }
}
@media (prefers-reduced-motion: no-preference) { .chevron { transition: transform .12s; } }
`;
