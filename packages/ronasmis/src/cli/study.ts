import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../base/errors.ts';
import { mean } from '../base/statistics.ts';
import type { HeadroomResults } from '../run/headroom-record.ts';
import type { StudyResults } from '../run/study-record.ts';
import { interruptible } from './interrupt.ts';
import {
  deviceOption,
  type EngineOptions,
  type FoldOptions,
  foldOption,
  foldsOption,
  integerBetween,
  jsonOption,
  labelsOption,
  memoryOption,
  parseDuration,
  parseNames,
  precisionOption,
  requireFold,
} from './options.ts';
import { coloursOf, note, print, printJson, table } from './output.ts';
import { announce, warner } from './run-search.ts';

interface Options extends EngineOptions, FoldOptions {
  readonly allFolds?: true;
  readonly out?: string;
  readonly labels?: string;
  readonly seeds: number;
  readonly time: number;
  readonly children?: number;
  readonly memory?: number;
  readonly headroom?: true;
  readonly variants?: readonly string[];
  readonly recipe?: string;
  readonly sideBySide: number;
  readonly json?: true;
}

/** Adds `study DATASET`. */
export function addStudy(program: Command): void {
  program
    .command('study')
    .description('compare all controllers and the base network at equal time: is the search worth it?')
    .argument('<dataset>', 'folder with dataset.json, imagesTr and labelsTr')
    .addOption(labelsOption())
    .requiredOption(
      '--time <duration>',
      'time of each search, such as 15m; 6 searches for each seed, and 12 networks trained alone',
      parseDuration,
    )
    .option(
      '--out <folder>',
      'folder of the study, which continues what is there (default: runs/<name of the data set>-study)',
    )
    .option('--seeds <n>', 'searches of each contestant', integerBetween(1, 100), 3)
    .option('--children <n>', 'candidate networks evaluated in each controller epoch', integerBetween(12, 1000))
    .option('--headroom', 'instead, what changes of the base network and the recipe are worth, each trained alone')
    .option('--variants <names>', 'of these changes, some, with commas between them', parseNames)
    .option(
      '--recipe <recipe>',
      "what these changes are changes of, as search's --recipe (default: the default recipe)",
    )
    .option(
      '--side-by-side <n>',
      "runs that go on at once, each with its share of the processor's threads and of the memory",
      integerBetween(1, 64),
      1,
    )
    .addOption(memoryOption())
    .addOption(foldsOption())
    .addOption(foldOption())
    .option('--all-folds', 'every fold as the test set in turn')
    .addOption(deviceOption())
    .addOption(precisionOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis study data/Prostate --seeds 3 --time 15m')
    .action(async (dataSet: string, options: Options) => {
      const {
        out = join('runs', `${basename(resolve(dataSet))}-study`),
        time,
        memory,
        labels,
        children,
        json,
        headroom,
        variants,
        recipe,
        allFolds,
        fold,
        ...rest
      } = options;
      requireFold(options);
      if (headroom) return studyHeadroom(dataSet, options);
      if (variants !== undefined || recipe !== undefined)
        throw new UserError('--variants and --recipe are of --headroom: give that as well, or leave them out.');
      const { study } = await import('../study/study.ts');
      const { defaultRecipe } = await import('../recipe/recipe.ts');
      const { openProgress } = await import('./progress.ts');
      const view = openProgress();
      const results = await interruptible('Type the same command again to go on.', (signal) =>
        study(
          {
            dataSet,
            ...(labels !== undefined && { labelFolder: labels }),
            out,
            timeSeconds: time,
            children: children ?? defaultRecipe.search.children,
            ...(memory !== undefined && { memoryBytes: memory }),
            ...(!allFolds && { fold }),
            ...rest,
          },
          {
            signal,
            onProgress: view.update,
            onStart: (start) => announce(view, start),
            onWarning: warner(view),
            onSearch: ({ run, number, total }) => view.say(`${run}, search ${number} of ${total}`),
          },
        ).finally(view.stop),
      );
      if (json) printJson({ study: out, ...results });
      else await printStudy(out, results);
    });
}

/** What the changes are worth that a search could make. */
async function studyHeadroom(dataSet: string, options: Options): Promise<void> {
  const {
    out = join('runs', `${basename(resolve(dataSet))}-headroom`),
    time,
    memory,
    labels,
    variants,
    recipe,
  } = options;
  const { seeds, folds, fold, device, precision, sideBySide, json } = options;
  if (options.allFolds) throw new UserError('--headroom is of one fold: leave --all-folds out.');
  const { headroom } = await import('../study/headroom/headroom.ts');
  const { readRecipe } = await import('../recipe/read-recipe.ts');
  const { openProgress } = await import('./progress.ts');
  const view = openProgress();
  const given = {
    ...{ dataSet, out, timeSeconds: time, seeds, folds, fold, device, precision, sideBySide },
    ...(labels !== undefined && { labelFolder: labels }),
    ...(memory !== undefined && { memoryBytes: memory }),
    ...(variants !== undefined && { names: variants }),
    ...(recipe !== undefined && { recipe: await readRecipe(recipe) }),
  };
  const results = await interruptible('Type the same command again to go on.', (signal) =>
    headroom(given, {
      signal,
      onProgress: view.update,
      onStart: (start) => announce(view, start),
      onWarning: warner(view),
      onRun: ({ run, number, total }) => view.say(`${run}, run ${number} of ${total}`),
    }).finally(view.stop),
  );
  if (json) printJson({ study: out, ...results });
  else await printHeadroom(out, results);
}

async function printHeadroom(folder: string, { base, seeds, variants }: HeadroomResults): Promise<void> {
  const { gainCells, gainHeads, headroomCaveats } = await import('../report/headroom-page.ts');
  const { formatSpread } = await import('../report/study-verdict.ts');
  const { bold, dim } = coloursOf(process.stdout);
  note('');
  print(bold(`The base network: test Dice ${formatSpread({ ...base, count: seeds })} %`));
  print(`\n${table(gainHeads, variants.map(gainCells))}\n`);
  print(dim(headroomCaveats.join('\n')));
  print(`Report  ${join(folder, 'headroom.html')}`);
}

/** How many of the choices are printed; the page has all. */
const SHOWN_CHOICES = 5;

async function printStudy(folder: string, results: StudyResults): Promise<void> {
  const { formatDice, formatSeconds } = await import('../report/format.ts');
  const { CAVEATS, formatInterval, formatProbability, formatSpread, points, verdict } = await import(
    '../report/study-verdict.ts'
  );
  const { bold, dim } = coloursOf(process.stdout);
  note('');
  for (const sentence of verdict(results)) print(bold(sentence));
  const contestants = results.contestants.map(({ name, runs, test_dice }) => [
    name,
    formatSpread(test_dice),
    runs.map((run) => formatDice(run.test_dice)).join(' '),
    formatSeconds(mean(runs.map((run) => run.training_seconds))),
    formatSeconds(mean(runs.map((run) => run.evaluation_seconds))),
    formatSeconds(mean(runs.map((run) => run.seconds))),
    joulesText(runs.map((run) => run.joules)),
  ]);
  print(
    `\n${table(['contestant', 'test Dice %', 'by seed', 'training', 'evaluation', 'in all', 'joules'], contestants)}\n`,
  );
  const comparisons = results.comparisons.map((comparison) => [
    `${results.contestants[0].name} - ${comparison.other}`,
    points(comparison.difference),
    formatInterval(comparison),
    formatProbability(comparison.p),
    formatProbability(comparison.p_holm),
  ]);
  print(table(['points of test Dice', 'difference', '95 % over seeds', 'p over cases', 'p corrected'], comparisons));
  print(dim(CAVEATS.join('\n')));
  const choices = results.contributions
    .slice(0, SHOWN_CHOICES)
    .map(({ choice, options }) => [choice, options.map(({ value, mean }) => `${value} ${points(mean)}`).join(', ')]);
  print(`\n${table(['choice in random search', 'reward by option, points from the mean'], choices)}\n`);
  print(`Report  ${join(folder, 'study.html')}`);
}

/** The mean over the searches; a dash where one of them is not known. */
function joulesText(joules: readonly (number | null)[]): string {
  const known = joules.filter((value) => value !== null);
  return known.length < joules.length ? '-' : mean(known).toFixed(0);
}
