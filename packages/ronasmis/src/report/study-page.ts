import { basename } from 'node:path';
import { formatFigure } from '../base/figures.ts';
import { sum } from '../base/statistics.ts';
import type { StudyRecord, StudyResults } from '../run/study-record.ts';
import { lineChart } from './curves.ts';
import { dotRows } from './dot-rows.ts';
import { formatDice, formatSeconds, plural } from './format.ts';
import { type Html, html } from './html.ts';
import { scatterPlot } from './scatter.ts';
import { CAVEATS, formatInterval, formatProbability, formatSpread, points, verdict } from './study-verdict.ts';
import { STYLE } from './style.ts';
import { flatten } from './tables.ts';

/** Draws the report of a study: one self-contained HTML page that requests nothing from anywhere. */
export function renderStudy({ results: _, ...record }: StudyRecord, results: StudyResults): string {
  const { settings, engine, created } = record;
  const name = basename(settings.data_set);
  const budget =
    settings.time_seconds === null
      ? plural(settings.epochs ?? 0, 'controller step')
      : formatSeconds(settings.time_seconds);
  const rows = flatten('', record).map(([key, value]) => html`<tr><td>${key}</td><td>${value}</td></tr>`);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Study of ${name} · RONASMIS</title><style>${STYLE}</style></head>
<body><main>
<div class="brand">RONASMIS</div><h1>Is the search worth it? ${name}</h1>
<div class="lead">Study of ${created.slice(0, 10)} · ${budget} for each search, ${plural(results.seeds, 'seed')}, ${plural(results.test_cases, 'test case')} · ${settings.fold === null ? plural(settings.folds, 'fold') : `fold ${settings.fold} of ${settings.folds}`} · ${engine.device} in ${engine.precision}</div>
<section><h2>What the figures say</h2>${verdict(results).map((sentence) => html`<p>${sentence}</p>`)}</section>
<section><h2>Test Dice by contestant</h2><p class="lead">In percent; a dot is a seed, the line their mean. At the end, mean and standard deviation.</p>${contestantRows(results)}</section>
<section><h2>The search against the others</h2>${comparisonTable(results)}${CAVEATS.map((text) => html`<p class="lead">${text}</p>`)}</section>
<section><h2>Best reward over time</h2><p class="lead">Validation Dice of the best child of the last finished step, %: the mean over the seeds, and as a band from the lowest to the highest.</p><div class="charts">${rewardCurves(results)}</div></section>
<section><h2>Shared weights against own weights</h2><p class="lead">Children of random search, all evaluated with the same shared weights, then each trained alone, every child by the same number of steps, about a quarter of those weights', on patches of one size: neither how slow a child is nor its own patch, which only training sees, is anything that its reward could tell. Chance in that training lowers the correlation too: one seed each.</p>${alonePlot(results)}</section>
<section><h2>What each choice contributes</h2><p class="lead">Mean reward of the children that have an option, in points relative to the mean of their step, with its standard error; over the ${plural(childCount(results), 'evaluation')} of random search, whose choices are independent of each other. Those that differ most beyond their errors stand first: among so many choices, one or two differ by over two standard errors by chance.</p>${contributionRows(results)}</section>
<section><h2>Cost</h2>${costTable(results)}<p class="lead">The rest is reading scans, measuring the machine, checkpoints and the report. Joules are the whole machine's while the search ran; – where it does not tell, or a search was killed.</p></section>
<details><summary>Settings and engine</summary><table>${rows}</table></details>
</main></body></html>
`.markup;
}

function contestantRows({ contestants }: StudyResults): Html {
  const rows = contestants.map(({ name, runs, test_dice }, i) => ({
    name,
    mean: test_dice.mean * 100,
    note: formatSpread(test_dice),
    dots: runs.map((run) => ({
      value: run.test_dice * 100,
      label: `${name}, ${run.fold === undefined ? '' : `fold ${run.fold}, `}seed ${run.seed}: ${formatDice(run.test_dice)} %`,
      tone: `level${i}`,
    })),
  }));
  return dotRows('Test Dice by contestant, %', rows, formatFigure);
}

function comparisonTable({ contestants, comparisons }: StudyResults): Html {
  const [{ name: subject }] = contestants;
  const rows = comparisons.map(
    (comparison) =>
      html`<tr><td>${subject} − ${comparison.other}</td>${[
        points(comparison.difference),
        formatInterval(comparison),
        formatProbability(comparison.p),
        formatProbability(comparison.p_holm),
      ].map(number)}</tr>`,
  );
  return html`<table><tr><th>test Dice, points</th><th class="number">difference</th><th class="number">95 % interval over seeds</th><th class="number">p over cases</th><th class="number">p corrected</th></tr>${rows}</table>`;
}

const number = (text: string): Html => html`<td class="number">${text}</td>`;

function rewardCurves({ contestants }: StudyResults): readonly Html[] {
  return contestants.map(({ name, best_reward: rewards }, i) =>
    lineChart({
      title: name,
      steps: rewards.map(({ seconds }) => seconds),
      series: [
        {
          name: 'best reward',
          values: rewards.map(({ mean }) => mean * 100),
          tone: `level${i}`,
          band: rewards.map(({ lowest, highest }) => [lowest * 100, highest * 100] as const),
        },
      ],
      format: formatFigure,
      along: { name: 'seconds', tick: (at) => `${Math.round(at)} s`, point: formatSeconds },
    }),
  );
}

function alonePlot({ alone }: StudyResults): Html {
  const dots = alone.children.map(({ run, reward, test_dice }) => ({
    x: reward * 100,
    y: test_dice * 100,
    label: `${run}: ${formatDice(reward)} % shared, ${formatDice(test_dice)} % alone`,
  }));
  return html`<div class="charts">${scatterPlot(dots, { name: 'reward with shared weights, %', format: formatFigure }, { name: 'Test Dice trained alone, %', format: formatFigure })}</div>`;
}

function childCount({ contributions }: StudyResults): number {
  return sum(contributions.at(0)?.options.map(({ children }) => children) ?? []);
}

function contributionRows({ contributions }: StudyResults): Html {
  const rows = contributions.map(({ choice, options }) => ({
    name: choice,
    dots: options.map(({ value, children, mean, standard_error: error }, i) => ({
      value: mean * 100,
      ...(children > 1 && { error: error * 100 }),
      label: `${choice}: ${value}, ${points(mean)} ± ${(error * 100).toFixed(2)}, ${children} children`,
      text: value,
      tone: `level${i % 5}`,
    })),
  }));
  return dotRows('Relative reward by choice, points', rows, formatFigure);
}

function costTable({ contestants }: StudyResults): Html {
  const rows = contestants.flatMap(({ runs }) =>
    runs.map((run) => {
      const rest = run.seconds - run.training_seconds - run.evaluation_seconds;
      const cells = [run.seconds, run.training_seconds, run.evaluation_seconds, rest].map(formatSeconds);
      return html`<tr><td>${run.run}</td>${[...cells, String(run.controller_steps), run.joules === null ? '–' : formatFigure(run.joules)].map(number)}</tr>`;
    }),
  );
  const head = ['time', 'training', 'evaluation', 'rest', 'controller steps', 'joules'];
  return html`<table><tr><th>search</th>${head.map((title) => html`<th class="number">${title}</th>`)}</tr>${rows}</table>`;
}
