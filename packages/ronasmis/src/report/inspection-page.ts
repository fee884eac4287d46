import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { formatAxes, formatFigure } from '../base/figures.ts';
import { quantile } from '../base/statistics.ts';
import { type CaseSummary, classMillilitres, type Fingerprint } from '../data/fingerprint.ts';
import type { Problem } from '../data/problem.ts';
import { filesOf } from '../data/problems.ts';
import { niceTicks } from './curves.ts';
import { formatBytes, plural } from './format.ts';
import { type Html, html } from './html.ts';
import { drawSlice, type Slice } from './slices.ts';
import { type Strip, type StripDot, strips } from './strips.ts';
import { STYLE } from './style.ts';

/** A case that the page shows, by one slice; the slice's reference holds class indices. */
export type InspectionExample = { readonly name: string; readonly why: string; readonly slice: Slice };

/** All that the page of a data set shows. */
export type InspectionContent = {
  readonly name: string;
  readonly folder: string;
  /** Errors first. */
  readonly problems: readonly Problem[];
  /** Undefined where no case could be read. */
  readonly fingerprint: Fingerprint | undefined;
  readonly summaries: readonly CaseSummary[];
  readonly examples: readonly InspectionExample[];
};

/** What a page says of its maker: the data set that it is about, and a hash of all else in it. */
const generator = (folder: string, hash: string): Html =>
  html`<meta name="generator" content="RONASMIS inspect ${digest(resolve(folder))} ${hash}">`;
const unknown = '0'.repeat(16);
const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Whether a file's content is a page of this data set that nobody has changed since. */
export function isInspection(content: string, folder: string): boolean {
  const [mark, hash] = /<meta name="generator" content="RONASMIS inspect \w{16} (\w{16})">/.exec(content) ?? [];
  if (mark === undefined || mark !== generator(folder, hash).markup) return false;
  return digest(content.replace(mark, generator(folder, unknown).markup)) === hash;
}

/** Draws what a data set is like: one self-contained HTML page that requests nothing from anywhere. */
export function renderInspection(content: InspectionContent): string {
  const { name, folder, problems, fingerprint } = content;
  const unmarked = generator(folder, unknown);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">${unmarked}<meta name="viewport" content="width=device-width,initial-scale=1"><title>${name} · RONASMIS</title><style>${STYLE}</style></head>
<body><main>
<div class="brand">RONASMIS</div><h1>${name}</h1>
<div class="lead">Data set in ${folder}</div>
<section><h2>Problems</h2>${problemList(problems)}</section>
${fingerprint ? description(content, fingerprint) : html``}
</main></body></html>
`.markup;
  return page.replace(unmarked.markup, generator(folder, digest(page)).markup);
}

function problemList(problems: readonly Problem[]): Html {
  if (problems.length === 0) return html`<p>No problem found.</p>`;
  const items = problems.map(
    ({ severity, message, cases = [] }) =>
      html`<p class="problem"><span class="key ${severity === 'error' ? 'warm' : 'quiet'}">${severity}</span>${message}</p>${problemCases(cases)}`,
  );
  return html`<p class="lead">A search starts when there is no error; a warning is for you to judge.</p>${items}`;
}

function problemCases(cases: NonNullable<Problem['cases']>): Html {
  if (cases.length === 0) return html``;
  const rows = cases.map(({ file, what }) => html`<tr><td>${file}</td>${cells([what])}</tr>`);
  return html`<details><summary>All ${cases.length}</summary><table>${rows}</table></details>`;
}

function description(content: InspectionContent, fingerprint: Fingerprint): Html {
  const { summaries, problems, examples } = content;
  const files = new Set(problems.flatMap(filesOf));
  const oddNames = summaries.filter(({ image, label }) => files.has(image) || files.has(label)).map(({ name }) => name);
  const shown = { summaries, odd: new Set(oddNames) };
  return html`${tiles(fingerprint, shown.odd.size)}
<section><h2>Summary</h2>${spreadTable(fingerprint)}${intensityTable(fingerprint)}${labelTable(fingerprint)}</section>
<section><h2>Some cases</h2><p class="lead">The slice in the middle of what is labelled.</p>${exampleFigures(examples, fingerprint)}</section>
<section><h2>Sizes and spacings</h2><p class="lead">A dot is a case, the line is the median; orange cases have a warning of their own. Point at a dot for its name.</p>
${axisStrips('voxels', shown, ({ shape }) => shape)}${axisStrips('mm', shown, ({ spacing }) => spacing)}</section>
<section><h2>Intensities where labelled</h2><p class="lead">The 0.5th, 50th and 99.5th percentile of each case’s labelled voxels.</p>${fingerprint.channels.map((channel, i) => intensityStrips(channel, i, shown))}</section>
<section><h2>Volumes of each label</h2><p class="lead">In millilitres, of the cases that have the label.</p>${fingerprint.labels.slice(1).map((label, i) => volumeStrips(label.name, i, shown))}</section>
<details><summary>Every case</summary><div class="scroll">${caseTable(fingerprint, summaries)}</div></details>`;
}

function tiles({ cases, channels, labels, storedBytes, orientation, orientations }: Fingerprint, odd: number): Html {
  const turned = cases - orientations[orientation];
  const tile = (name: string, value: string, note: string) =>
    html`<div class="tile"><span>${name}</span><b>${value}</b><em>${note}</em></div>`;
  return html`<div class="tiles">
${tile('Cases', String(cases), `${odd} with a warning of their own`)}
${tile('Channels', String(channels.length), channels.join(', '))}
${tile('Labels', String(labels.length - 1), 'beside the background')}
${tile('On the disk', formatBytes(storedBytes), 'compressed')}
${tile('Voxel axes', orientation, `x, y, z; ${plural(turned, 'case')} turned to this`)}</div>`;
}

const headCells = (titles: readonly string[]): readonly Html[] =>
  titles.map((title) => html`<th class="number">${title}</th>`);
const cells = (texts: readonly string[]): readonly Html[] => texts.map((text) => html`<td class="number">${text}</td>`);

function spreadTable({ shape, spacing }: Fingerprint): Html {
  const row = (name: string, { min, median, max }: Fingerprint['shape']) =>
    html`<tr><td>${name}</td>${cells([min, median, max].map(formatAxes))}</tr>`;
  return html`<table><tr><th>x, y, z, each by itself</th>${headCells(['smallest', 'median', 'largest'])}</tr>${row('voxels', shape)}${row('millimetres between them', spacing)}</table>`;
}

function intensityTable({ channels, intensities }: Fingerprint): Html {
  const rows = intensities.map(
    ({ mean, deviation, percentile005, median, percentile995 }, i) =>
      html`<tr><td>${channels[i]}</td>${cells([mean, deviation, percentile005, median, percentile995].map(formatFigure))}</tr>`,
  );
  return html`<table><tr><th>channel, where labelled</th>${headCells(['mean', 'standard deviation', '0.5 %', 'median', '99.5 %'])}</tr>${rows}</table>`;
}

function labelTable({ labels, classFractions }: Fingerprint): Html {
  const rows = labels.map(
    ({ name, value }, i) =>
      html`<tr><td>${name}</td>${cells([String(value), (100 * classFractions[i]).toPrecision(3)])}</tr>`,
  );
  return html`<table><tr><th>label</th>${headCells(['value', '% of all voxels'])}</tr>${rows}</table>`;
}

function exampleFigures(examples: readonly InspectionExample[], { labels }: Fingerprint): Html {
  const legend = labels.slice(1).map(({ name }, i) => html`<span class="class${i % 6}">${name}</span>`);
  const figures = examples.map(
    ({ name, why, slice }) =>
      html`<div class="example"><h3>${why} <span>${name}</span></h3>${drawSlice(slice, labels.length - 1)}</div>`,
  );
  return html`<div class="legend">${legend}</div><div class="slices labels">${figures}</div>`;
}

/** What a row shows of a case; undefined where the case has no dot. */
type ValueOf = (summary: CaseSummary) => number | undefined;

/** The cases that are shown, and the names of those that have a warning of their own. */
interface Shown {
  readonly summaries: readonly CaseSummary[];
  readonly odd: ReadonlySet<string>;
}

function stripOf(name: string, tone: string, { summaries, odd }: Shown, of: ValueOf): Strip {
  const dots = summaries.flatMap((summary): StripDot[] => {
    const value = of(summary);
    if (value === undefined) return [];
    const label = `${summary.name} · ${formatFigure(value)}`;
    return [{ value, label, ...(odd.has(summary.name) && { tone: 'warm' }) }];
  });
  const middle = median(dots.map(({ value }) => value));
  return { name, tone, note: `median ${formatFigure(middle)}`, middle, dots };
}

const median = (values: readonly number[]): number =>
  quantile(
    values.toSorted((left, right) => left - right),
    0.5,
  );

/** The rows on one axis that all of them need; those without a dot are left out. */
function onOneAxis(rows: readonly Strip[]): Html {
  const filled = rows.filter(({ dots }) => dots.length > 0);
  if (filled.length === 0) return html`<p class="quiet">There is nothing to show.</p>`;
  const values = filled.flatMap(({ dots }) => dots.map(({ value }) => value));
  const ends = values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
  return strips(filled, niceTicks(ends[0], ends[1], 6), formatFigure);
}

function axisStrips(unit: string, shown: Shown, of: (summary: CaseSummary) => readonly number[]): Html {
  const rows = ['x', 'y', 'z'].map((axis, i) =>
    stripOf(`${axis}, ${unit}`, 'accent', shown, (summary) => of(summary)[2 - i]),
  );
  return onOneAxis(rows);
}

function intensityStrips(channel: string, index: number, shown: Shown): Html {
  const sorted = new Map(shown.summaries.map((summary) => [summary.name, summary.intensities[index].toSorted()]));
  const rows = [0.005, 0.5, 0.995].map((fraction) =>
    stripOf(`${channel}, ${fraction * 100} %`, 'accent', shown, ({ name }) => {
      const values = sorted.get(name);
      return values && values.length > 0 ? quantile(values, fraction) : undefined;
    }),
  );
  return onOneAxis(rows);
}

function volumeStrips(name: string, index: number, shown: Shown): Html {
  const row = stripOf(`${name}, ml`, `class${index % 6}`, shown, (summary) => {
    const volume = classMillilitres(summary)[index + 1];
    return volume > 0 ? volume : undefined;
  });
  return onOneAxis([row]);
}

function caseTable({ labels }: Fingerprint, summaries: readonly CaseSummary[]): Html {
  const volumes = labels.slice(1).map(({ name }) => `${name}, ml`);
  const rows = summaries.map((summary) => {
    const { name, shape, spacing, orientation } = summary;
    const millilitres = classMillilitres(summary).slice(1).map(formatFigure);
    return html`<tr><td>${name}</td>${cells([formatAxes(shape), formatAxes(spacing), orientation, ...millilitres])}</tr>`;
  });
  return html`<table><tr><th>case</th>${headCells(['voxels', 'mm', 'axes in the file', ...volumes])}</tr>${rows}</table>`;
}
