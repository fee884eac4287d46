import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../base/errors.ts';
import type { CompareResults } from '../run/compare-record.ts';
import { Exit } from './exit.ts';
import { interruptible } from './interrupt.ts';
import {
  deviceOption,
  type EngineOptions,
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
import { coloursOf, note, print, printJson, printProblems, table } from './output.ts';
import { announce, warner } from './run-search.ts';

interface Options extends EngineOptions {
  readonly systems: readonly string[];
  readonly out?: string;
  readonly labels?: string;
  readonly seeds: number;
  readonly time?: number;
  readonly epochs?: number;
  readonly memory?: number;
  readonly folds: number;
  readonly fold?: number;
  readonly from?: string;
  readonly python?: string;
  readonly json?: true;
}

/** Adds `compare DATASET`. */
export function addCompare(program: Command): void {
  program
    .command('compare')
    .description('train several systems on the same folds with equal time, and score what each segments')
    .argument('<dataset>', 'folder with dataset.json, imagesTr and labelsTr')
    .addOption(labelsOption())
    .requiredOption(
      '--systems <names>',
      'systems with commas between them; the others are compared with the first',
      parseNames,
    )
    .option('--time <duration>', 'time of each training, such as 15m', parseDuration)
    .option(
      '--epochs <n>',
      "epochs of each training, in the system's own terms: 1000 are nnU-Net's original; with --time, what comes first ends it",
      integerBetween(1, 1_000_000),
    )
    .option(
      '--out <folder>',
      'folder of the comparison, which continues what is there (default: runs/<name of the data set>-compare)',
    )
    .option('--seeds <n>', 'trainings of each system on each fold', integerBetween(1, 100), 1)
    .addOption(foldsOption())
    .option(
      '--fold <k>',
      'only the fold that is the test set, counted from 0 (default: each in turn)',
      integerBetween(0, 99),
    )
    .option('--from <run>', 'run folder of another task, for systems that take something over from one')
    .option('--python <python>', 'Python with nnU-Net in it, for systems that are run by one')
    .addOption(memoryOption())
    .addOption(deviceOption())
    .addOption(precisionOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ ronasmis compare data/Prostate --systems ronasmis,ronasmis-paper --fold 0 --seeds 3 --time 15m',
    )
    .action(async (dataSet: string, options: Options) => {
      const { systems: names, time, memory, labels, json, ...rest } = options;
      const { out = join('runs', `${basename(resolve(dataSet))}-compare`) } = options;
      requireFold(rest);
      if (time === undefined && rest.epochs === undefined)
        throw new UserError('A comparison needs to know when a training ends: give --time, such as 15m, or --epochs.');
      const { systemsCalled } = await import('../systems/systems.ts');
      const { compare } = await import('../compare/compare.ts');
      const { openProgress } = await import('./progress.ts');
      const systems = systemsCalled(names);
      const view = openProgress();
      const results = await interruptible('Type the same command again to go on.', (signal) =>
        compare(
          {
            ...rest,
            dataSet,
            ...(labels !== undefined && { labelFolder: labels }),
            out,
            ...(time !== undefined && { timeSeconds: time }),
            ...(memory !== undefined && { memoryBytes: memory }),
          },
          systems,
          {
            signal,
            onProgress: view.update,
            onStart: (start) => announce(view, start),
            onWarning: warner(view),
            onFailure: ({ run }) => warner(view)(`${run} could not be run, as is said at the end; the others go on.`),
            onRun: ({ run, number, total }) => view.say(`${run}, run ${number} of ${total}`),
          },
        ).finally(view.stop),
      );
      if (json) printJson({ comparison: out, ...results });
      else if (results.reference !== null) await printComparison(out, results);
      endWithFailures(out, results);
    });
}

async function printComparison(folder: string, results: CompareResults): Promise<void> {
  const { compareTable } = await import('../report/compare-table.ts');
  const { compareCaveats, compareVerdict } = await import('../report/compare-verdict.ts');
  const { readComparison } = await import('../run/read-run.ts');
  const record = await readComparison(folder);
  const { bold, dim } = coloursOf(process.stdout);
  note('');
  const names = results.systems.map(({ name }) => name);
  for (const { title, rows } of compareTable(record, results)) {
    print(
      `${table(
        [title, ...names],
        rows.map(({ name, cells }) => [name, ...cells]),
      )}\n`,
    );
  }
  for (const sentence of compareVerdict(results)) print(bold(sentence));
  print(dim(compareCaveats(record, results).join('\n')));
  print(`\nReport  ${join(folder, 'compare.html')}`);
}

/** Says what could not be run, each sentence once. @throws Exit with 1 where one is a defect, else with 2 where there is any */
function endWithFailures(folder: string, { systems }: CompareResults): void {
  const failures = systems.flatMap((system) => system.failures);
  if (failures.length === 0) return;
  const said = failures.map(({ run, message, is_defect }) =>
    is_defect
      ? `${run}: a defect, whose stack is in ${join(folder, run, 'failure.log')} (${message}). Please report it.`
      : `${run}: ${message}`,
  );
  printProblems(said);
  note('Type the same command again to try what failed once more.');
  throw new Exit(failures.some(({ is_defect }) => is_defect) ? 1 : 2);
}
