import type { Case } from '../data/case.ts';
import type { Labelling } from '../data/description.ts';
import type { DiceSummary } from '../evaluation/summary.ts';
import { writeReport } from '../report/page.ts';
import { chooseSlices, type Example, pickExamples, type Slice } from '../report/slices.ts';
import type { RunFiles } from '../run/read-run.ts';
import { writeRecord } from '../run/run-folder.ts';
import { labelMapIn } from './label-maps.ts';
import { openCase } from './opened-case.ts';

/**
 * Enters into a finished run what a comparison has found of its test cases, so that its report is as that of any other run.
 * @param test the test cases, whose label maps the run's folder has
 */
export async function enterTest(
  { folder, run, architecture, report, events }: RunFiles,
  { test, labels, dice }: Pick<Labelling, 'labels'> & { readonly test: readonly Case[]; readonly dice: DiceSummary },
): Promise<void> {
  if (architecture === undefined || report === undefined) throw new Error(`${folder} has not finished.`);
  const tested = { ...report, test_dice: dice };
  const slicesOf = async ({ name }: Example): Promise<readonly Slice[]> => {
    const entry = test.find((one) => one.name === name);
    const opened = entry && (await openCase(entry, { labels }));
    return opened
      ? chooseSlices({ ...opened.volume, prediction: await opened.predictionOf(labelMapIn(folder, name)) })
      : [];
  };
  const examples = [];
  for (const example of pickExamples(dice)) examples.push({ ...example, slices: await slicesOf(example) });
  await writeReport({ folder, run, architecture, report: tested, events, examples });
  await writeRecord(folder, 'report.json', tested);
}
