import { type Html, html } from './html.ts';

/** One line of a chart, drawn in the colour of the page's series `tone`. */
export type Series = {
  readonly name: string;
  readonly values: readonly number[];
  readonly tone: 'accent' | 'warm' | 'quiet' | `level${number}`;
  /** Lowest and highest of what each value is a mean of, drawn as a band; as many as there are values, all finite. */
  readonly band?: readonly (readonly [number, number])[];
};

/** What a chart runs over: named in its description, and how a place on it is written on the axis and on hovering. */
export type Along = {
  readonly name: string;
  readonly tick: (at: number) => string;
  readonly point: (at: number) => string;
};

const CONTROLLER_STEPS: Along = { name: 'controller steps', tick: String, point: (step) => `Step ${step}` };

const WIDTH = 420;
const HEIGHT = 230;
const LEFT = 46;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 30;

/** What a line chart shows. */
export interface LineChart {
  readonly title: string;
  /** The place of each line's values, ascending. */
  readonly steps: readonly number[];
  readonly series: readonly Series[];
  /** How a value is written on the axis and on hovering. */
  readonly format: (value: number) => string;
  /** Controller steps where it is left out. */
  readonly along?: Along;
}

/** A line chart over controller steps, or along something else, as SVG in a figure. */
export function lineChart(chart: LineChart): Html {
  const { title, steps, series, format, along = CONTROLLER_STEPS } = chart;
  const values = series.flatMap((line) => [...line.values, ...(line.band ?? []).flat()].filter(Number.isFinite));
  if (steps.length === 0 || values.length === 0) {
    return html`<figure class="chart"><figcaption><b>${title}</b></figcaption><p class="quiet">No step was finished.</p></figure>`;
  }
  const ticks = niceTicks(Math.min(...values), Math.max(...values), 4);
  const y = scale(ticks[0], ticks[ticks.length - 1], HEIGHT - BOTTOM, TOP);
  const x = scale(steps[0], steps[steps.length - 1], LEFT, WIDTH - RIGHT);
  return html`<figure class="chart">
<figcaption><b>${title}</b><br>${series.map((line) => html`<span class="key ${line.tone}">${line.name}</span>`)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title} over ${along.name}">
${ticks.map((tick) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}"/><text class="tick" x="${LEFT - 7}" y="${y(tick) + 4}" text-anchor="end">${format(tick)}</text>`)}
${stepTicks(steps).map((step) => html`<text class="tick" x="${x(step)}" y="${HEIGHT - 10}" text-anchor="middle">${along.tick(step)}</text>`)}
${series.map((line) => drawSeries(line, { ...chart, along }, { x, y }))}
</svg></figure>`;
}

export type Scale = (value: number) => number;

/** From the chart's values to places of its drawing. */
interface Scales {
  readonly x: Scale;
  readonly y: Scale;
}

function drawSeries(line: Series, { steps, format, along }: Required<LineChart>, { x, y }: Scales): Html {
  const points = steps
    .map((step, i) => ({ step, value: line.values[i] }))
    .filter(({ value }) => Number.isFinite(value));
  const path = points.map(({ step, value }, i) => `${i === 0 ? 'M' : 'L'}${x(step)} ${y(value)}`).join('');
  return html`${drawBand(line, steps, { x, y })}<path class="line ${line.tone}" d="${path}"/>
${points.map(({ step, value }) => html`<circle class="point ${line.tone}" cx="${x(step)}" cy="${y(value)}" r="${points.length === 1 ? 4 : 6}"><title>${along.point(step)}: ${line.name} ${format(value)}</title></circle>`)}`;
}

function drawBand({ band = [], tone }: Series, steps: readonly number[], { x, y }: Scales): Html {
  if (band.length === 0) return html``;
  const upper = band.map(([, high], i) => `${x(steps[i])} ${y(high)}`);
  const lower = band.map(([low], i) => `${x(steps[i])} ${y(low)}`).reverse();
  return html`<path class="band ${tone}" d="M${[...upper, ...lower].join('L')}Z"/>`;
}

/** Maps [from, to] to [low, high] linearly, rounded to a tenth of a pixel; a single value lands in the middle. */
export function scale(from: number, to: number, low: number, high: number): Scale {
  return (value) => {
    const fraction = to === from ? 0.5 : (value - from) / (to - from);
    return Math.round((low + fraction * (high - low)) * 10) / 10;
  };
}

/** Round numbers that enclose [low, high], about `count` of them apart by 1, 2 or 5 times a power of ten. */
export function niceTicks(low: number, high: number, count: number): readonly number[] {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const size = largest > 1e-9 ? largest : 1;
  // Values that are equal except for rounding still get an axis around them.
  const range = high - low > 1e-6 * size ? high - low : size;
  const power = 10 ** Math.floor(Math.log10(range / count));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => range / size <= count) ?? 10 * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(Math.ceil(high / step - 1e-9), first + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function stepTicks(steps: readonly number[]): readonly number[] {
  const [first, last] = [steps[0], steps[steps.length - 1]];
  const inner = niceTicks(first, last, 5).filter((tick) => Number.isInteger(tick) && tick >= first && tick <= last);
  return inner.length > 1 ? inner : [...new Set([first, last])];
}
