import { type Html, html } from 'ronasmis/internal';
import type { Measured } from './scaling.ts';

const width = 400;
const height = 300;
const left = 62;
const right = 16;
const top = 34;
const bottom = 42;
/** Readable on a light page and on a dark one. */
const ink = '#7a8794';

type Scale = (value: number) => number;
interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [voxels: number, value: number])[];
}

/** Time and memory against voxels, both logarithmic, as a whole SVG file; dotted lines grow linearly from the largest volume back. */
export function drawScaling(predicted: readonly Measured[], trained: readonly Measured[]): string {
  const lines = (value: (one: Measured) => number): readonly Line[] => [
    { name: 'training step', colour: '#d2622a', points: trained.map((one) => [one.side ** 3, value(one)]) },
    { name: 'one-shot prediction', colour: '#0e7a86', points: predicted.map((one) => [one.side ** 3, value(one)]) },
  ];
  const panels = [
    drawPanel(
      'seconds',
      lines(({ seconds }) => seconds),
      0,
    ),
    drawPanel(
      'memory, MiB',
      lines(({ bytes }) => bytes / 2 ** 20),
      width,
    ),
  ];
  return `${
    html`<svg xmlns="http://www.w3.org/2000/svg" width="${2 * width}" height="${height}" viewBox="0 0 ${2 * width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>Time and memory of the base child against voxels</title>
${panels}
</svg>`.markup
  }\n`;
}

function drawPanel(title: string, lines: readonly Line[], shift: number): Html {
  const points = lines.flatMap((line) => line.points);
  const xs = decades(points.map(([voxels]) => voxels));
  const ys = decades(points.map(([, value]) => value));
  const x = logScale(xs, left, width - right);
  const y = logScale(ys, height - bottom, top);
  return html`<g transform="translate(${shift} 0)">
<text x="${left}" y="16" fill="${ink}" font-weight="600">${title}</text>
${xs.map((value) => html`<line x1="${x(value)}" x2="${x(value)}" y1="${top}" y2="${height - bottom}" stroke="${ink}" stroke-opacity=".25"/><text x="${x(value)}" y="${height - bottom + 16}" text-anchor="middle" fill="${ink}">${label(value)}</text>`)}
${ys.map((value) => html`<line x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}" stroke="${ink}" stroke-opacity=".25"/><text x="${left - 8}" y="${y(value) + 4}" text-anchor="end" fill="${ink}">${label(value)}</text>`)}
<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle" fill="${ink}">voxels</text>
${lines.map((line, place) => drawLine(line, place, x, y, ys[0]))}
</g>`;
}

function drawLine({ name, colour, points }: Line, place: number, x: Scale, y: Scale, floor: number): Html {
  const path = points.map(([voxels, value], i) => `${i === 0 ? 'M' : 'L'}${x(voxels)} ${y(value)}`).join('');
  const [voxels, value] = points[points.length - 1];
  const from = Math.max(points[0][0], (voxels * floor) / value);
  return html`<path d="M${x(from)} ${y((value * from) / voxels)}L${x(voxels)} ${y(value)}" stroke="${colour}" stroke-dasharray="2 4" fill="none"/>
<path d="${path}" stroke="${colour}" stroke-width="2" fill="none"/>
${points.map(([voxels, value]) => html`<circle cx="${x(voxels)}" cy="${y(value)}" r="3" fill="${colour}"/>`)}
<text x="${left + 8}" y="${top + 16 + 16 * place}" fill="${colour}">${name}</text>`;
}

/** Powers of ten that enclose the values. */
function decades(values: readonly number[]): readonly number[] {
  const first = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

/** From the first to the last decade onto [low, high], rounded to a tenth of a pixel. */
function logScale(ticks: readonly number[], low: number, high: number): Scale {
  const [from, to] = [Math.log10(ticks[0]), Math.log10(ticks[ticks.length - 1])];
  return (value) => Math.round((low + ((Math.log10(value) - from) / (to - from)) * (high - low)) * 10) / 10;
}

function label(value: number): string {
  return value >= 1e4 ? `10^${Math.round(Math.log10(value))}` : String(Number(value.toPrecision(1)));
}
