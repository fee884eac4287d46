import { basename, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type ControllerName, controllerHelp, controllerNames } from '../controller/controllers.ts';
import { type AugmentMode, augmentModes } from '../recipe/augment-mode.ts';
import { searchDefaults } from '../search/defaults.ts';
import { type SpaceName, spaceNames } from '../space/names.ts';
import { startDashboard } from './dashboard-process.ts';
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
  precisionOption,
  requireFold,
} from './options.ts';
import { note, print } from './output.ts';
import { ranksOption, startRanks, withTeam } from './ranks.ts';
import { runSearch } from './run-search.ts';

interface Options extends EngineOptions, FoldOptions {
  readonly out?: string;
  readonly labels?: string;
  readonly time?: number;
  readonly epochs?: number;
  readonly children?: number;
  readonly memory?: number;
  readonly controller: ControllerName;
  readonly space: SpaceName;
  readonly architecture?: string;
  readonly augment: AugmentMode;
  readonly from?: string;
  readonly recipe?: string;
  readonly seed: number;
  readonly ranks?: number;
  readonly dashboard?: true;
  readonly json?: true;
}

/** Adds `search DATASET`. */
export function addSearch(program: Command): void {
  program
    .command('search')
    .description('search an architecture and train its weights; the network is then ready to use')
    .argument('<dataset>', 'folder with dataset.json, imagesTr and labelsTr')
    .addOption(labelsOption())
    .option('--out <folder>', 'run folder to create (default: runs/<name of the data set>)')
    .option('--time <duration>', 'time budget, such as 30m or 2h', parseDuration)
    .option('--epochs <n>', "controller epochs (default: the recipe's, without --time)", integerBetween(1, 100_000))
    .option(
      '--children <n>',
      "candidate networks evaluated in each controller epoch (default: the recipe's)",
      integerBetween(1, 1000),
    )
    .addOption(
      new Option('--controller <controller>', `what proposes candidate networks: ${controllerHelp}`)
        .choices(controllerNames)
        .default(searchDefaults.controller),
    )
    .addOption(
      new Option(
        '--space <space>',
        'what is searched: the layout (macro), the cell of all levels (micro), or nothing (fixed)',
      )
        .choices(spaceNames)
        .default(searchDefaults.space),
    )
    .addOption(
      new Option(
        '--architecture <file>',
        'search nothing: train the network of this architecture.json, found or written by hand',
      ).conflicts(['controller', 'space', 'children']),
    )
    .option(
      '--from <run>',
      'start from the weights of a finished run, of this data set or another; what does not fit is drawn anew',
    )
    .addOption(
      new Option('--augment [when]', 'when to rotate and scale training patches and change their intensities too')
        .choices(augmentModes)
        .preset('on')
        .default(searchDefaults.augment),
    )
    .option(
      '--recipe <recipe>',
      "constants to change: 'paper' is the published RONASMIS, or a JSON file with some of those that show RUN --json lists",
    )
    .addOption(memoryOption())
    .addOption(foldsOption())
    .addOption(foldOption())
    .option('--seed <n>', 'seed of all random numbers', integerBetween(0, 2 ** 31 - 1), searchDefaults.seed)
    .addOption(deviceOption())
    .addOption(precisionOption())
    .addOption(ranksOption())
    .option('--dashboard', 'show the search on a live page, whose address is printed first')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis search data/Prostate --out runs/prostate --time 15m')
    .action(async (dataSet: string, { architecture: file, ...options }: Options) => {
      const {
        out = join('runs', basename(resolve(dataSet))),
        time,
        memory,
        labels,
        recipe,
        ranks,
        dashboard,
        json,
        ...rest
      } = options;
      if (ranks !== undefined) return startRanks(ranks);
      requireFold(rest);
      const { controller, space, children, ...common } = rest;
      const given = {
        dataSet,
        ...(labels !== undefined && { labelFolder: labels }),
        out,
        ...(time !== undefined && { timeSeconds: time }),
        ...(memory !== undefined && { memoryBytes: memory }),
      };
      return withTeam(async (team) => {
        const page = dashboard && team.isFirst ? startDashboard({ runs: [out] }, 0) : undefined;
        // With --json, standard output is one document.
        page?.address.then(json ? note : print, () => {});
        const shown = { folder: out, json: json === true, team };
        await runSearch(shown, async (hooks) => {
          const withRecipe = {
            ...given,
            ...(team.size > 1 && { team }),
            ...(recipe !== undefined && (await recipeNamed(recipe))),
          };
          if (file === undefined) {
            const { search } = await import('../search/search.ts');
            return search({ ...withRecipe, ...rest }, hooks);
          }
          const { readArchitecture } = await import('../search/architecture-file.ts');
          const architecture = await readArchitecture(file);
          const { trainArchitecture } = await import('../search/train-architecture.ts');
          return trainArchitecture(architecture, { ...withRecipe, ...common }, hooks);
        }).finally(() => page?.stop());
      });
    });
}

async function recipeNamed(named: string) {
  const { readRecipe } = await import('../recipe/read-recipe.ts');
  return { recipe: await readRecipe(named) };
}
