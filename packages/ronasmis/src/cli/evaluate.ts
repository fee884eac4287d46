import type { Command } from 'commander';
import { readBytes, writeAtomically } from '../base/files.ts';
import type { Evaluation } from '../evaluation/evaluate.ts';
import type { ClassScores } from '../evaluation/scores.ts';
import type { Spread } from '../evaluation/summary.ts';
import { Exit } from './exit.ts';
import { jsonOption, overwriteOption, parsePositive } from './options.ts';
import { coloursOf, note, print, printJson, printProblems, table } from './output.ts';

interface Options {
  readonly tolerance: number;
  readonly csv?: string;
  readonly overwrite?: boolean;
  readonly json?: true;
}

/** Adds `evaluate PREDICTIONS LABELS`. */
export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('score predictions against labels: Dice, HD95, NSD and volumes for each case and class')
    .argument('<predictions>', 'folder of predicted label maps')
    .argument('<labels>', 'folder of reference label maps with the same names')
    .option('--tolerance <mm>', 'distance within which a surface counts as correct in the NSD', parsePositive, 1)
    .option('--csv <file>', 'also write every score, one line for each case and class')
    .addOption(overwriteOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis evaluate predictions data/Prostate/labelsTr --tolerance 2')
    .action(async (predictions: string, labels: string, options: Options) => {
      const { evaluate, isCsv, toCsv } = await import('../evaluation/evaluate.ts');
      const { csv, overwrite = false } = options;
      if (csv !== undefined) {
        const { requireReplaceable } = await import('../data/outputs.ts');
        const { listScans } = await import('../formats/scan-files.ts');
        const inputs = [...(await listScans(predictions)), ...(await listScans(labels))];
        const isOwn = async (file: string): Promise<boolean> => isCsv(Buffer.from(await readBytes(file)).toString());
        await requireReplaceable([csv], { isOwn, overwrite, inputs, option: '--csv' });
      }
      const evaluation = await evaluate(predictions, labels, { toleranceMillimetres: options.tolerance });
      if (csv !== undefined) await writeAtomically(csv, Buffer.from(toCsv(evaluation)));
      if (options.json) printJson(evaluation);
      else await printEvaluation(evaluation);
      const { yellow } = coloursOf(process.stderr);
      for (const sentence of evaluation.warnings) note(yellow(`warning: ${sentence}`));
      const missing = evaluation.without_prediction;
      if (missing.length > 0) {
        const names = missing.length > 5 ? `${missing.slice(0, 5).join(', ')} ...` : missing.join(', ');
        note(yellow(`warning: ${predictions}: labels without a prediction, which count nowhere: ${names}.`));
      }
      printProblems(evaluation.problems);
      if (evaluation.problems.length > 0) throw new Exit(2);
    });
}

async function printEvaluation(evaluation: Evaluation): Promise<void> {
  const { plural } = await import('../report/format.ts');
  const count = Object.keys(evaluation.cases).length;
  if (Object.keys(evaluation.classes).length === 0) {
    print(coloursOf(process.stdout).bold(`Mean Dice -, ${plural(count, 'case')}`));
    print(
      'Nothing is labelled in any prediction nor in its label map: there are 0 mm3 of false positives, and no Dice. That is right for healthy scans.',
    );
    return;
  }
  const head = [
    'class',
    'Dice %',
    'HD95 mm',
    `NSD % (${evaluation.tolerance_mm} mm)`,
    'prediction mm3',
    'reference mm3',
    'false positive mm3',
  ];
  const rows = Object.entries(evaluation.cases).flatMap(([name, classes]) =>
    Object.entries(classes).map(([label, scores]) => [name, label, ...scoreCells(scores)]),
  );
  print(`${table(['case', ...head], rows)}\n`);
  const spreads = Object.entries(evaluation.classes).map(([label, spread]) => [
    label,
    spreadCell(spread.dice, 100, 2),
    spreadCell(spread.hd95_mm, 1, 2),
    spreadCell(spread.nsd, 100, 2),
    spreadCell(spread.prediction_mm3, 1, 0),
    spreadCell(spread.reference_mm3, 1, 0),
    spreadCell(spread.false_positive_mm3, 1, 0),
  ]);
  print('Mean and standard deviation over the cases');
  print(`${table(head, spreads)}\n`);
  const { low, high } = evaluation.dice_interval ?? { low: null, high: null };
  const interval = low === null ? '' : ` (95 % interval over cases: ${cell(low, 100, 2)} to ${cell(high, 100, 2)})`;
  const mean = `Mean Dice ${cell(evaluation.dice.mean, 100, 2)} %${interval}, ${plural(count, 'case')}`;
  print(coloursOf(process.stdout).bold(mean));
  if (rows.some((row) => row.includes('-')))
    print('- is no score: neither has the class (it counts in no mean), or for a distance one of them has not.');
}

function scoreCells(scores: ClassScores): readonly string[] {
  return [
    cell(scores.dice, 100, 2),
    cell(scores.hd95_mm, 1, 2),
    cell(scores.nsd, 100, 2),
    cell(scores.prediction_mm3, 1, 0),
    cell(scores.reference_mm3, 1, 0),
    cell(scores.false_positive_mm3, 1, 0),
  ];
}

function cell(value: number | null, factor: number, digits: number): string {
  return value === null ? '-' : (value * factor).toFixed(digits);
}

function spreadCell(spread: Spread | null, factor: number, digits: number): string {
  return spread === null ? '-' : `${cell(spread.mean, factor, digits)} ± ${cell(spread.deviation, factor, digits)}`;
}
