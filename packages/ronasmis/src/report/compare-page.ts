import { basename } from 'node:path';
import { formatFigure } from '../base/figures.ts';
import type { CompareRecord, CompareResults } from '../run/compare-record.ts';
import { compareTable } from './compare-table.ts';
import { compareCaveats, compareVerdict, givenSentences } from './compare-verdict.ts';
import { dotRows } from './dot-rows.ts';
import { formatBytes, formatDice, formatSeconds, plural } from './format.ts';
import { type Html, html } from './html.ts';
import { publishedTable, publishedTasks } from './published-table.ts';
import { scatterPlot } from './scatter.ts';
import { drawSlice, type Slice, sliceImage } from './slices.ts';
import { STYLE } from './style.ts';
import { flatten } from './tables.ts';

/** A test case as every system has segmented it: the same slices of each. */
export interface CompareExample {
  readonly name: string;
  /** Names of the classes beside the background. */
  readonly classes: readonly string[];
  /** With the reference alone. */
  readonly slices: readonly Slice[];
  readonly systems: readonly {
    readonly system: string;
    readonly dice: number | null;
    readonly slices: readonly Slice[];
  }[];
}

/** Draws the page of a comparison: one self-contained HTML page that requests nothing from anywhere. */
export function renderComparison(
  { results: _, runs, ...record }: CompareRecord,
  results: CompareResults,
  example?: CompareExample,
): string {
  const { settings, created } = record;
  const name = basename(settings.data_set);
  const rows = flatten('', record).map(([key, value]) => html`<tr><td>${key}</td><td>${value}</td></tr>`);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Comparison on ${name} · RONASMIS</title><style>${STYLE}</style></head>
<body><main>
<div class="brand">RONASMIS</div><h1>Systems compared on ${name}</h1>
<div class="lead">Comparison of ${created.slice(0, 10)} · ${plural(results.systems.length, 'system')}, ${plural(results.folds.length, 'fold')} of ${settings.folds}, ${plural(results.seeds, 'seed')}, ${plural(results.test_cases, 'test case')}</div>
<section><h2>What the figures say</h2>${paragraphs(compareVerdict(results))}${compareCaveats(record, results).map((sentence) => html`<p class="lead">${sentence}</p>`)}</section>
${failures(results)}
<section><h2>The table</h2>${systemsTable(record, results)}</section>
<section><h2>Test Dice by system</h2><p class="lead">In percent, a mean over the cases; a dot is a run, the line their mean.</p>${runRows(results)}</section>
<section><h2>Dice against time</h2><p class="lead">A dot is a run, a ring the mean of a system. Time is that of the training, on a logarithmic axis.</p>${timePlot(results)}</section>
${example === undefined ? '' : exampleSection(example, results)}
<section><h2>What each was given</h2>${paragraphs(givenSentences({ ...record, runs }, results))}</section>
<section><h2>As it was published</h2>${publishedSection()}</section>
<details><summary>Every run</summary>${runTable(results)}</details>
<details><summary>Settings and engine</summary><table>${rows}</table></details>
</main></body></html>
`.markup;
}

const paragraphs = (sentences: readonly string[]): readonly Html[] =>
  sentences.map((sentence) => html`<p>${sentence}</p>`);

/** Colours of the systems, in their order. */
const toneOf = (index: number): string => `level${index % 9}`;

function failures({ systems }: CompareResults): Html {
  const failed = systems.flatMap((system) => system.failures);
  if (failed.length === 0) return html``;
  const items = failed.map(
    ({ run, message, is_defect }) =>
      html`<p class="problem"><b>${run}</b>: ${is_defect ? html`a defect (${message}); its stack is in ${run}/failure.log.` : message}</p>`,
  );
  return html`<section><h2>What could not be run</h2><p class="lead">It is tried again when the command is typed again.</p>${items}</section>`;
}

function systemsTable(record: Pick<CompareRecord, 'hardware'>, results: CompareResults): Html {
  const { systems } = results;
  const head = systems.map(({ title }) => html`<th class="number">${title}</th>`);
  const sections = compareTable(record, results).map(
    ({ title, rows }) =>
      html`<tr><th colspan="${systems.length + 1}">${title}</th></tr>${rows.map(({ name, cells }) => tableRow(name, cells))}`,
  );
  return html`<div class="scroll"><table class="systems"><tr><th></th>${head}</tr>${sections}</table></div>`;
}

const tableRow = (name: string, cells: readonly string[]): Html =>
  html`<tr><td>${name}</td>${cells.map((cell) => html`<td class="number">${cell}</td>`)}</tr>`;

function runRows({ systems }: CompareResults): Html {
  const rows = systems.map(({ title, figures, runs }, i) => ({
    name: title,
    ...(figures !== null && { mean: figures.dice * 100, note: formatDice(figures.dice) }),
    dots: runs.map(({ run, dice }) => ({ value: dice * 100, label: `${run}: ${formatDice(dice)} %`, tone: toneOf(i) })),
  }));
  return dotRows('Test Dice by system, %', rows, formatFigure);
}

/** Seconds, minutes, hours and days that an axis may have ticks at. */
const timeTicks = [
  ...[1, 2, 5, 10, 20, 30].map((seconds) => seconds),
  ...[1, 2, 5, 10, 20, 30].map((minutes) => 60 * minutes),
  ...[1, 2, 5, 12].map((hours) => 3600 * hours),
  ...[1, 2, 5, 10, 20, 50].map((days) => 86_400 * days),
];

/** A whole time in its largest unit: `20 min`. */
const shortTime = (seconds: number): string => formatSeconds(seconds).replace(/ 0 (s|min|h)$/, '');

function timePlot({ systems }: CompareResults): Html {
  const dots = systems.flatMap(({ title, runs, figures }, i) => {
    const point = (
      { training_seconds, dice }: { readonly training_seconds: number; readonly dice: number },
      what: string,
    ) => ({
      x: training_seconds,
      y: dice * 100,
      label: `${what}: ${formatDice(dice)} %, ${formatSeconds(training_seconds)}`,
      tone: toneOf(i),
    });
    return [
      ...runs.map((run) => point(run, run.run)),
      ...(figures === null ? [] : [{ ...point(figures, `${title}, mean`), isRing: true }]),
    ];
  });
  const keys = systems.map(({ title }, i) => html`<span class="key ${toneOf(i)}">${title}</span>`);
  const time = { name: 'time of the training', format: shortTime, logarithmicTicks: timeTicks };
  return html`<p class="lead">${keys}</p><div class="charts">${scatterPlot(dots, time, { name: 'Test Dice, %', format: formatFigure })}</div>`;
}

function exampleSection({ name, classes, slices, systems }: CompareExample, results: CompareResults): Html {
  const titleOf = (system: string): string => results.systems.find((one) => one.name === system)?.title ?? system;
  const legend = classes.map((label, i) => html`<span class="class${i % 6}">${label}</span>`);
  const blocks = slices.map((slice, at) => {
    const id = `slice-${slice.number}`;
    const own = drawSlice(slice, classes.length, 'reference', sliceImage(slice, id));
    const others = systems.map(({ system, slices: ofSystem }) =>
      drawSlice(ofSystem[at], classes.length, titleOf(system), html`<use href="#${id}"/>`),
    );
    return html`<div class="example"><h3>Slice ${slice.number} <span>of ${slice.count}</span></h3><div class="slices many">${own}${others}</div></div>`;
  });
  const scores = systems.map(({ system, dice }) => `${titleOf(system)} ${formatDice(dice)}`).join(', ');
  return html`<section><h2>A typical case: ${name}</h2><p class="lead">The case at the median of the systems’ mean Dice, as the first seed of each has segmented it. Dice, %, means over the seeds: ${scores}.</p><div class="legend">${legend}<span class="white">reference</span></div>${blocks}</section>`;
}

function publishedSection(): Html {
  const head = publishedTable.map(({ title }) => html`<th class="number">${title}</th>`);
  const row = (name: string, cellOf: (system: (typeof publishedTable)[number]) => string | null): Html =>
    tableRow(
      name,
      publishedTable.map((system) => cellOf(system) ?? '–'),
    );
  const yesOrNo = (is: boolean): string => (is ? 'yes' : 'no');
  return html`<p class="lead">Table 2 of Bae et al., MICCAI 2019 (arXiv 1909.00548): its authors’ figures, not measured here. They are of other scans, splits, machines and times, so that no figure here can be held against one there; the order of the systems can.</p>
<div class="scroll"><table class="systems"><tr><th>published</th>${head}</tr>
${publishedTasks.map((task, at) => row(`Dice, ${task}, %`, ({ dice }) => dice[at]?.toFixed(2) ?? null))}
${row('augmentation', ({ augmentation }) => yesOrNo(augmentation))}
${row('ensemble', ({ ensemble }) => yesOrNo(ensemble))}
${row('test-time augmentation', ({ testTimeAugmentation }) => yesOrNo(testTimeAugmentation))}
${row('post-processing', ({ postProcessing }) => yesOrNo(postProcessing))}
${row('trained on', ({ training }) => training)}
${row('inference', ({ inference }) => inference)}
</table></div>`;
}

function runTable({ systems }: CompareResults): Html {
  const head = ['Dice, %', 'HD95, mm', 'NSD, %', 'training', 'prediction, a case', 'peak memory', 'joules'];
  const rows = systems.flatMap(({ runs }) =>
    runs.map((run) =>
      tableRow(run.run, [
        formatDice(run.dice),
        run.hd95_mm?.toFixed(2) ?? '–',
        formatDice(run.nsd),
        formatSeconds(run.training_seconds),
        formatSeconds(run.prediction_seconds_per_case),
        run.peak_memory_bytes === null ? '–' : formatBytes(run.peak_memory_bytes),
        run.joules === null ? '–' : formatFigure(run.joules),
      ]),
    ),
  );
  return html`<div class="scroll"><table class="systems"><tr><th>run</th>${head.map((title) => html`<th class="number">${title}</th>`)}</tr>${rows}</table></div>`;
}
