import { basename } from 'node:path';
import type { Architecture } from '../architecture/architecture.ts';
import { formatFigure } from '../base/figures.ts';
import { sum } from '../base/statistics.ts';
import type { SearchEvent } from '../run/event.ts';
import type { SearchReport } from '../run/report.ts';
import { classNamesOf, kindOf, type RunRecord } from '../run/run-record.ts';
import { drawArchitecture } from './architecture-drawing.ts';
import { drawCell } from './cell-drawing.ts';
import { lineChart } from './curves.ts';
import { dicePlot } from './dice-plot.ts';
import { formatBytes, formatCount, formatDice, formatSeconds, plural } from './format.ts';
import { gainSection } from './gain.ts';
import { type Html, html } from './html.ts';
import { drawSlice, type Example, type Slice } from './slices.ts';
import { STYLE } from './style.ts';
import { caseTable, settingsTable } from './tables.ts';

/** All that `report.html` shows. */
export type ReportContent = {
  readonly run: RunRecord;
  readonly architecture: Architecture;
  readonly report: SearchReport;
  readonly events: readonly SearchEvent[];
  /** The best, median and worst test case with some of their slices. */
  readonly examples: readonly (Example & { readonly slices: readonly Slice[] })[];
};

/** Draws the report of a finished search: one self-contained HTML page that requests nothing from anywhere. */
export function renderReport(content: ReportContent): string {
  const { run, report, architecture } = content;
  const { fold, folds, system } = run.settings;
  const name = basename(run.settings.data_set);
  const { what, how, found, foundNote, steps, stepsNote } = wordsOf(run);
  const classNames = classNamesOf(run);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${name} · RONASMIS</title><style>${STYLE}</style></head>
<body><main>
<div class="brand">RONASMIS</div><h1>${name}</h1>
<div class="lead">${what} of ${formatDate(run.created)}${system === undefined ? '' : ` by ${system}`} · ${how} · fold ${fold} of ${folds} held out as the test set</div>
${hero(report, classNames)}
${tiles(content)}
<section><h2>${found}</h2><p class="lead">${foundNote} Coloured arrows add encoder features to the decoder; sizes are a training patch's, depth × height × width.</p>${drawArchitecture(architecture, run.network)}${cellFigure(architecture)}</section>
${gainSection(report.gain)}
<section><h2>${steps}</h2><p class="lead">${stepsNote}${coarseNote(content.events)}${augmentedNote(content.events)}</p>${curves(content.events)}</section>
${testSection(content, classNames)}
<details><summary>Settings, engine and data set</summary>${settingsTable(run)}</details>
</main></body></html>
`;
  return page.markup;
}

/** The test cases, where any was segmented. */
function testSection(content: ReportContent, classNames: Readonly<Record<string, string>>): Html {
  const { test_dice } = content.report;
  if (Object.keys(test_dice.cases).length === 0) return html``;
  return html`<section><h2>Dice of every test case</h2><p class="lead">In percent; a dot is a case, the line is the mean. Point at a dot for its name.</p>${dicePlot(test_dice, classNames)}</section>
${exampleSection(content, classNames)}
<details><summary>Dice by case</summary>${caseTable(test_dice, classNames)}</details>`;
}

/** What the page says of the kind of run that it shows. */
function wordsOf(run: RunRecord) {
  const { controller, space } = run.settings;
  const search = { found: 'Found architecture', steps: 'The search, step by step' };
  const words = {
    search: {
      ...search,
      what: 'Architecture search',
      how: `${controller} in the ${space} space`,
      foundNote: 'The best of all evaluated children, with the weights it shared: nothing was retrained.',
      stepsNote: 'As a controller makes up its mind, its entropy falls and the reward of what it proposes rises.',
    },
    cell_search: {
      ...search,
      what: 'Search of cells',
      how: 'by gradients',
      foundNote: 'Of each edge the likeliest operation, with the weights that all shared: it is yet to be trained.',
      stepsNote: `${stepNote(run)} As the edges of the cells make up their minds, their entropy falls.`,
    },
    training: {
      what: 'Training of one network',
      how: 'without a search',
      found: 'Architecture',
      foundNote: 'As it was given.',
      steps: 'The training, step by step',
      stepsNote: stepNote(run),
    },
  };
  return words[kindOf(run.settings)];
}

function formatDate(iso: string): string {
  return iso.replace('T', ' ').replace(/:\d\d(\.\d+)?Z$/, ' UTC');
}

function hero(report: SearchReport, classNames: Readonly<Record<string, string>>): Html {
  const { mean, classes, cases } = report.test_dice;
  const count = Object.keys(cases).length;
  if (count === 0) return html`<p class="quiet">No test case was segmented yet.</p>`;
  const bars = Object.entries(classes).map(
    ([label, dice], i) => html`<span>${classNames[label] ?? `label ${label}`}</span>
<span class="track class${i % 6}"><i style="width:${formatDice(dice)}%"></i></span><b>${formatDice(dice)}</b>`,
  );
  return html`<div class="hero"><div><div class="figure">${formatDice(mean)}<small> %</small></div>
<div class="quiet">test Dice, ${plural(count, 'case')} never seen by the search</div></div><div class="bars">${bars}</div></div>`;
}

/** Of the micro space: what stands in every box of the U. */
function cellFigure(architecture: Architecture): Html {
  if (!('cell' in architecture)) return html``;
  return html`<h2>Its cell</h2><p class="lead">The same at every level. A node adds its two operations; what no node takes in is added up into the output.</p>${drawCell(architecture.cell)}`;
}

function tiles({ run, report, events }: ReportContent): Html {
  const children = sum(events.map((event) => event.children.length));
  const { engine } = run;
  const isValidated = Object.keys(report.validation_dice.cases).length > 0;
  const trained = `${formatCount(events.at(-1)?.steps ?? 0)} training steps`;
  const tile = (name: string, value: string, note: string) =>
    html`<div class="tile"><span>${name}</span><b>${value}</b><em>${note}</em></div>`;
  return html`<div class="tiles">
${isValidated ? tile('Validation Dice', `${formatDice(report.validation_dice.mean)} %`, 'what the search chose by') : html``}
${tile('Time', formatSeconds(report.seconds), plural(events.length, kindOf(run.settings) === 'search' ? 'controller step' : 'step'))}
${children > 0 ? tile('Children evaluated', String(children), trained) : tile('Training', trained, 'all cases but those of the test set')}
${tile('Parameters', formatCount(report.parameters), `${run.network.channels.join(', ')} channels`)}
${tile('Peak memory', formatBytes(report.peak_memory_bytes), engine.device === 'cuda' ? 'of the GPU' : 'of the process')}
${tile('Device', `${engine.device}, ${engine.precision}`, engine.cpu)}</div>`;
}

/** What a step of the training of one network is. */
function stepNote({ recipe: { search, training } }: RunRecord): string {
  if (training.steps_per_epoch === null)
    return `A step is ${plural(search.training_epochs, 'epoch')} of the training cases.`;
  return `A step is an epoch of ${plural(training.steps_per_epoch, 'training step')}, or of fewer where a time limits the run.`;
}

function coarseNote(events: readonly SearchEvent[]): string {
  const last = events.findLast(({ coarse }) => coarse);
  return last ? ` Until step ${last.step} scans were taken at half their resolution, and rewards are those of it.` : '';
}

function augmentedNote(events: readonly SearchEvent[]): string {
  const first = events.find(({ augmented }) => augmented);
  if (first === undefined) return '';
  return ` Training patches were rotated, scaled and changed in their intensities ${first.step === 1 ? 'throughout' : `from step ${first.step} on`}.`;
}

function curves(events: readonly SearchEvent[]): Html {
  const steps = events.map((event) => event.step);
  const entropies = events.flatMap(({ entropy }) => entropy ?? []);
  const [best, average, ofBase] = [
    events.flatMap(({ reward_max }) => reward_max ?? []),
    events.flatMap(({ reward_mean }) => reward_mean ?? []),
    events.flatMap(({ reward_base }) => reward_base ?? []),
  ];
  const rewards = {
    title: 'Reward: validation Dice, %',
    steps,
    series: [
      { name: 'best child', values: best.map((reward) => reward * 100), tone: 'warm' },
      { name: 'mean', values: average.map((reward) => reward * 100), tone: 'accent' },
      ...(ofBase.length < best.length
        ? []
        : [{ name: 'base', values: ofBase.map((reward) => reward * 100), tone: 'quiet' } as const]),
    ],
    format: formatFigure,
  } as const;
  return html`<div class="charts">
${best.length === 0 ? html`` : lineChart(rewards)}
${entropies.length === 0 ? html`` : lineChart({ title: 'Entropy, nats', steps, series: [{ name: 'entropy', values: entropies, tone: 'accent' }], format: formatFigure })}
${lineChart({ title: 'Training loss', steps, series: [{ name: 'loss', values: events.map((event) => event.loss), tone: 'accent' }], format: formatFigure })}</div>`;
}

function exampleSection({ examples, run }: ReportContent, classNames: Readonly<Record<string, string>>): Html {
  if (examples.length === 0) return html``;
  const labels = run.labels.slice(1);
  const legend = labels.map(({ value }, i) => html`<span class="class${i % 6}">${classNames[String(value)]}</span>`);
  const cases = examples.map(
    ({
      rank,
      name,
      dice,
      slices,
    }) => html`<div class="example"><h3>${rank}: ${formatDice(dice)} % <span>${name}</span></h3>
<div class="slices">${slices.map((slice) => drawSlice(slice, labels.length))}</div></div>`,
  );
  return html`<section><h2>Best, median and worst case</h2><div class="legend">${legend}<span class="white">reference</span></div>${cases}</section>`;
}
