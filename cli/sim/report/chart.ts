import { Html, html } from '../../debug-view/html.ts';

/** A line over time: `x` microseconds, `y` what the chart says. */
export interface Series {
  readonly name: string;
  /** Colours it. */
  readonly className: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface ChartOptions {
  /** For who does not see it. */
  readonly label: string;
  readonly xMax: number;
  readonly yMax: number;
  readonly sayX: (x: number) => string;
  readonly sayY: (y: number) => string;
  /** Ground that is shaded: something was wrong then. */
  readonly bands?: readonly Band[];
}

export interface Band {
  readonly from: number;
  readonly to: number;
  readonly says: string;
}

/** The drawing is stretched to its place, so all text stands beside it, in the page's own size. */
export const drawingWidth = 1000;
const height = 240;

export function chart(series: readonly Series[], options: ChartOptions): Html {
  const { bands = [], label, sayX, sayY, xMax, yMax } = options;
  const x = scale(0, xMax, drawingWidth);
  const y = (value: number): number => height - (value / Math.max(yMax, 1e-9)) * height;
  // Where lines lie on each other the ones below are seen at both sides.
  const lines = series.map(({ className, points }, index) => {
    const width = 2 + 1.5 * (series.length - 1 - index);
    const path = points.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    return html`<polyline class="line ${className}" stroke-width="${width}" points="${raw(path)}" />`;
  });
  return html`<figure class="chart">
    <div class="plot">
      <div class="y-axis" aria-hidden="true">
        ${ticks(0, yMax, 4).map((at) => html`<span style="bottom:${percent(at, 0, yMax)}">${sayY(at)}</span>`)}
      </div>
      <svg viewBox="0 0 ${drawingWidth} ${height}" preserveAspectRatio="none" role="img" aria-label="${label}">
        ${bands.map((band) => bandOf(band, x, height))}
        ${ticks(0, yMax, 4).map((at) => html`<line class="grid" x1="0" x2="${drawingWidth}" y1="${y(at).toFixed(1)}" y2="${y(at).toFixed(1)}" />`)}
        ${lines}
      </svg>
      ${timeAxis(0, xMax, sayX)}
    </div>
  </figure>`;
}

/** Times under a drawing. */
export function timeAxis(min: number, max: number, say: (at: number) => string): Html {
  return html`<div class="x-axis" aria-hidden="true">
    ${timeTicks(min, max).map(
      (at) =>
        html`<span class="${at - min > 0.9 * (max - min) ? 'last' : ''}" style="left:${percent(at, min, max)}"
          >${say(at)}</span
        >`,
    )}
  </div>`;
}

export function bandOf({ from, to, says }: Band, x: (at: number) => number, tall: number): Html {
  const width = Math.max(3, x(to) - x(from));
  return html`<rect class="fault" x="${x(from).toFixed(1)}" width="${width.toFixed(1)}" height="${tall}">
    <title>${says}</title>
  </rect>`;
}

/** Stays within the drawing. */
export function scale(min: number, max: number, length: number): (value: number) => number {
  const span = Math.max(max - min, 1);
  return (value) => Math.min(1, Math.max(0, (value - min) / span)) * length;
}

/** Round numbers from min to max, about so many. */
export function ticks(min: number, max: number, about: number): readonly number[] {
  const span = max - min;
  if (!(span > 0)) return [min];
  const rough = span / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => span / size <= about) ?? 10 * power;
  const first = Math.ceil(min / step);
  return Array.from({ length: Math.floor(max / step) - first + 1 }, (_, index) => (first + index) * step);
}

const second = 1_000_000;
const minute = 60 * second;
const hour = 60 * minute;
/** From a second on, times are told in what clocks count. */
const timeSteps = [1, 2, 5, 10, 15, 30].flatMap((count) => [count * second, count * minute, count * hour]);

/** Few enough to stand beside each other on a small screen. */
function timeTicks(min: number, max: number): readonly number[] {
  const about = 4;
  const step = timeSteps.toSorted((a, b) => a - b).find((size) => (max - min) / size <= about);
  if (step === undefined || max - min < second) return ticks(min, max, about);
  const first = Math.ceil(min / step);
  return Array.from({ length: Math.floor(max / step) - first + 1 }, (_, index) => (first + index) * step);
}

function percent(at: number, min: number, max: number): string {
  return `${(((at - min) / Math.max(max - min, 1e-9)) * 100).toFixed(2)}%`;
}

/** Numbers and their separators: nothing of it has to be escaped, and it may be long. */
export function raw(numbers: string): Html {
  return new Html(/^[\d\s.,eE+-]*$/.test(numbers) ? numbers : '');
}
