import type { Command } from 'commander';
import { Exit } from './exit.ts';
import { integerBetween, jsonOption, labelsOption } from './options.ts';
import { coloursOf, print, printJson } from './output.ts';

type Options = { readonly labels?: string; readonly folds: number; readonly json?: true };

/** Adds `inspect DATASET`. */
export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('read every scan of a data set and list what it is like and every problem found')
    .argument('<dataset>', 'folder with dataset.json, imagesTr and labelsTr')
    .addOption(labelsOption())
    .option('--folds <n>', 'parts that the cases will be split into', integerBetween(2, 100), 5)
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis inspect data/Prostate')
    .action(async (folder: string, { labels, folds, json }: Options) => {
      const { readDataSet } = await import('../data/dataset.ts');
      const { checkDataSet } = await import('../data/check.ts');
      const { openProgress } = await import('./progress.ts');
      const dataSet = await readDataSet(folder, labels);
      const view = openProgress();
      const onCase = (done: number, total: number) => view.update({ phase: 'prepare', step: 0, done, total });
      const { fingerprint, problems } = await checkDataSet(dataSet, { folds, onCase }).finally(view.stop);
      const errors = problems.filter((problem) => problem.severity === 'error').length;
      if (json) {
        printJson({ fingerprint: fingerprint ?? null, problems });
      } else {
        await printFingerprint(fingerprint);
        printProblems(problems);
      }
      if (errors > 0) throw new Exit(2);
    });
}

async function printFingerprint(fingerprint: object | undefined): Promise<void> {
  if (fingerprint === undefined) return;
  const { flatten } = await import('../report/tables.ts');
  const rows = flatten('', fingerprint);
  const width = Math.max(...rows.map(([name]) => name.length));
  const { dim } = coloursOf(process.stdout);
  print(`${rows.map(([name, value]) => `${dim(name.padEnd(width))}  ${value}`).join('\n')}\n`);
}

function printProblems(
  problems: readonly { readonly severity: 'error' | 'warning'; readonly message: string }[],
): void {
  const colours = coloursOf(process.stdout);
  for (const { severity, message } of problems) {
    print(`${severity === 'error' ? colours.red('error:') : colours.yellow('warning:')} ${message}`);
  }
  if (problems.length === 0) print(colours.green('No problem found.'));
}
