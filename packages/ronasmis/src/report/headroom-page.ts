import { basename } from 'node:path';
import { formatFigure } from '../base/figures.ts';
import { mean } from '../base/statistics.ts';
import type { HeadroomRecord, HeadroomResults, VariantResult } from '../run/headroom-record.ts';
import { dotRows } from './dot-rows.ts';
import { formatDice, formatSeconds, plural } from './format.ts';
import { type Html, html } from './html.ts';
import { formatProbability, formatRange, points } from './study-verdict.ts';
import { STYLE } from './style.ts';
import { flatten } from './tables.ts';

/** How far such figures go. */
export const headroomCaveats: readonly string[] = [
  'Each network was trained alone for the same time, so that one that is dearer made fewer steps. p is of a signed rank test over the test cases, each a mean over the seeds; corrected by Holm for all changes together.',
  'Of so many changes some gain by chance: what leads is to be tried again, on other seeds and other scans, before anything is made of it.',
];

/** Draws the report of a study of the headroom: one self-contained HTML page that requests nothing from anywhere. */
export function renderHeadroom({ results: _, ...record }: HeadroomRecord, results: HeadroomResults): string {
  const { settings, engine, created } = record;
  const name = basename(settings.data_set);
  const budget =
    settings.time_seconds === null ? plural(settings.epochs ?? 0, 'epoch') : formatSeconds(settings.time_seconds);
  const { mean: dice, deviation } = results.base;
  const rows = flatten('', record).map(([key, value]) => html`<tr><td>${key}</td><td>${value}</td></tr>`);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Headroom on ${name} · RONASMIS</title><style>${STYLE}</style></head>
<body><main>
<div class="brand">RONASMIS</div><h1>What could a search gain? ${name}</h1>
<div class="lead">Study of ${created.slice(0, 10)} · ${budget} for each network, ${plural(results.seeds, 'seed')}, ${plural(results.test_cases, 'test case')} · fold ${settings.fold} of ${settings.folds} · ${engine.device} in ${engine.precision}, ${settings.side_by_side} at once</div>
<section><h2>One change away from the base network</h2><p class="lead">The base has a test Dice of ${formatDice(dice)} %, ± ${formatDice(deviation)} between seeds. Points of test Dice above it; a dot is a seed, the line their mean.</p>${gainRows(results)}</section>
<section><h2>In figures</h2>${gainTable(results)}${headroomCaveats.map((text) => html`<p class="lead">${text}</p>`)}</section>
<details><summary>Settings and engine</summary><table>${rows}</table></details>
</main></body></html>
`.markup;
}

function gainRows({ base, variants }: HeadroomResults): Html {
  const rows = [{ what: 'the base itself, from its mean', runs: base.runs }, ...variants].map(({ what, runs }, at) => {
    const gains = runs.map((run) => ({ run, gain: run.test_dice - baseOf(base, run.seed, at === 0) }));
    return {
      name: what,
      ...(gains.length > 0 && { mean: 100 * mean(gains.map(({ gain }) => gain)) }),
      dots: gains.map(({ run, gain }) => ({
        value: 100 * gain,
        label: `${what}, seed ${run.seed}: ${points(gain)}`,
        tone: at === 0 ? 'quiet' : 'accent',
      })),
    };
  });
  return dotRows('Points of test Dice above the base, by change', rows, formatFigure);
}

/** What a run is compared with: the base of its seed, or, of the base itself, the mean over the seeds. */
function baseOf(base: HeadroomResults['base'], seed: number, isBase: boolean): number {
  return (isBase ? undefined : base.runs.find((run) => run.seed === seed)?.test_dice) ?? base.mean;
}

/** What a table has of a change: its name, the gain and its interval, the two p, the validation Dice, the training steps. */
export function gainCells({ what, runs, gain, problem }: VariantResult): readonly string[] {
  if (gain === null) return [what, problem ?? '–', '', '', '', '', ''];
  return [
    what,
    points(gain.difference),
    gain.interval ? formatRange(gain.interval) : '–',
    formatProbability(gain.p),
    formatProbability(gain.p_holm),
    formatDice(mean(runs.map((run) => run.validation_dice))),
    Math.round(mean(runs.map((run) => run.training_steps))).toString(),
  ];
}

/** The heads of these columns. */
export const gainHeads = [
  'change',
  'points',
  '95 % over seeds',
  'p over cases',
  'p corrected',
  'validation Dice, %',
  'training steps',
] as const;

function gainTable({ variants }: HeadroomResults): Html {
  const rows = variants.map((variant) => {
    const [what, ...figures] = gainCells(variant);
    return html`<tr><td>${what}</td>${figures.map((figure) => html`<td class="number">${figure}</td>`)}</tr>`;
  });
  const [first, ...others] = gainHeads;
  return html`<table><tr><th>${first}</th>${others.map((head) => html`<th class="number">${head}</th>`)}</tr>${rows}</table>`;
}
