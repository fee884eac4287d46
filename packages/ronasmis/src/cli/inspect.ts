import { join } from 'node:path';
import type { Command } from 'commander';
import { readBytes, writeAtomically } from '../base/files.ts';
import type { DataSet } from '../data/dataset.ts';
import type { Fingerprint } from '../data/fingerprint.ts';
import type { Problem } from '../data/problem.ts';
import { Exit } from './exit.ts';
import { integerBetween, jsonOption, labelsOption, overwriteOption } from './options.ts';
import { coloursOf, note, print, printJson, table } from './output.ts';

interface Options {
  readonly labels?: string;
  readonly folds: number;
  readonly html?: string;
  readonly overwrite?: boolean;
  readonly json?: true;
}

/** Adds `inspect DATASET`. */
export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('read every scan of a data set; list its properties and every problem found')
    .argument('<dataset>', 'folder with dataset.json, imagesTr and labelsTr')
    .addOption(labelsOption())
    .option('--folds <n>', 'number of folds for the search', integerBetween(2, 100), 5)
    .option('--html <file>', 'also write a page with plots and slices')
    .addOption(overwriteOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis inspect data/Prostate --html prostate.html')
    .action(async (folder: string, { labels, folds, html, overwrite = false, json }: Options) => {
      const { readDataSet } = await import('../data/dataset.ts');
      const { checkDataSet } = await import('../data/check.ts');
      const { openProgress } = await import('./progress.ts');
      const dataSet = await readDataSet(folder, labels);
      if (html !== undefined) await requirePage(html, dataSet, overwrite);
      const view = openProgress();
      const onCase = (done: number, total: number) => view.update({ phase: 'prepare', step: 0, done, total });
      const result = await checkDataSet(dataSet, { folds, onCase }).finally(view.stop);
      const { fingerprint, problems } = result;
      const errors = problems.filter((problem) => problem.severity === 'error').length;
      if (json) {
        printJson({ fingerprint: fingerprint ?? null, problems });
      } else {
        await printFingerprint(fingerprint);
        printProblems(problems);
      }
      if (html !== undefined) {
        const { inspectionPage } = await import('../report/inspection.ts');
        await writeAtomically(html, Buffer.from(await inspectionPage(dataSet, result)));
        note(`Page: ${html}`);
      }
      if (errors > 0) throw new Exit(2);
    });
}

/** @throws UserError where the page would replace anything but an earlier page */
async function requirePage(file: string, { folder, cases }: DataSet, overwrite: boolean): Promise<void> {
  const { requireReplaceable } = await import('../data/outputs.ts');
  const { isInspection } = await import('../report/inspection-page.ts');
  const inputs = [join(folder, 'dataset.json'), ...cases.flatMap(({ images, label }) => [...images, label])];
  const isOwn = async (file: string): Promise<boolean> =>
    isInspection(Buffer.from(await readBytes(file)).toString(), folder);
  await requireReplaceable([file], { isOwn, overwrite, inputs, option: '--html' });
}

async function printFingerprint(fingerprint: Fingerprint | undefined): Promise<void> {
  if (fingerprint === undefined) return;
  const { formatAxes, formatFigure } = await import('../base/figures.ts');
  const { formatBytes, plural } = await import('../report/format.ts');
  const { bold } = coloursOf(process.stdout);
  const { name, cases, channels, storedBytes, shape, spacing, intensities, labels, classFractions } = fingerprint;
  print(`${bold(name)}  ${plural(cases, 'case')}, ${plural(channels.length, 'channel')}, ${formatBytes(storedBytes)}`);
  print(`Voxel axes  ${orientationText(fingerprint)}`);
  const resampled = fingerprint.resampled === 0 ? '' : `; resampled to it: ${plural(fingerprint.resampled, 'case')}`;
  print(`Spacing     ${formatAxes(fingerprint.commonSpacing)} mm${resampled}\n`);

  const spread = ({ min, median, max }: typeof shape): string[] => [min, median, max].map(formatAxes);
  print(
    table(
      ['x, y, z, each by itself', 'smallest', 'median', 'largest'],
      [
        ['voxels', ...spread(shape)],
        ['millimetres between them', ...spread(spacing)],
      ],
    ),
  );
  const channelRows = intensities.map(({ mean, deviation, percentile005, median, percentile995 }, channel) => [
    channels[channel],
    ...[mean, deviation, percentile005, median, percentile995].map(formatFigure),
  ]);
  const intensityHead = ['channel, where labelled', 'mean', 'standard deviation', '0.5 %', 'median', '99.5 %'];
  print(`\n${table(intensityHead, channelRows)}`);
  const labelRows = labels.map(({ value, name }, index) => [
    name,
    String(value),
    (100 * classFractions[index]).toPrecision(3),
  ]);
  print(`\n${table(['label', 'value', '% of all voxels'], labelRows)}\n`);
}

function orientationText({ orientation, orientations }: Fingerprint): string {
  const all = Object.entries(orientations).map(([axes, count]) => `${axes} (${count})`);
  return all.length === 1 ? orientation : `${all.join(', ')}: all are turned to ${orientation}`;
}

function printProblems(problems: readonly Problem[]): void {
  const colours = coloursOf(process.stdout);
  for (const { severity, message, cases = [] } of problems) {
    print(`${severity === 'error' ? colours.red('error:') : colours.yellow('warning:')} ${message}`);
    for (const { file, what } of cases) print(`  ${file}: ${what}`);
  }
  if (problems.length === 0) print(colours.green('No problem found.'));
}
