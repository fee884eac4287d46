import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { planNnunet } from '../../../src/systems/nnunet/plan.ts';
import { fakePython } from './python.ts';

/** nnU-Net's plan of a few small scans with these channels. */
export function plansOf(channels: readonly string[], own: { readonly relativeSize?: number } = {}) {
  const intensities = { mean: 100, median: 90, std: 20, min: 1, max: 300, percentile_00_5: 10, percentile_99_5: 250 };
  return planNnunet({
    fingerprint: {
      shapes_after_crop: [
        [24, 40, 40],
        [24, 40, 40],
      ],
      spacings: [
        [2, 1, 1],
        [2, 1, 1],
      ],
      foreground_intensity_properties_per_channel: Object.fromEntries(channels.map((_, at) => [at, intensities])),
      median_relative_size_after_cropping: own.relativeSize ?? 1,
    },
    dataset: { name: 'Dataset001_compared', channels, classes: 3, cases: 2, reader: 'SimpleITKIO' },
    preset: 'default',
  });
}

/**
 * A program in the place of a Python with nnU-Net, that knows where the label maps are: what it says of a scan is that of `labels`, a folder of
 * label maps whose values are class indices. So everything around nnU-Net is seen without it.
 * @param dies the first time, once it is halfway
 */
export async function standIn(
  folder: string,
  labels: string,
  { dies = false, channels = ['T1'] }: { readonly dies?: boolean; readonly channels?: readonly string[] } = {},
): Promise<string> {
  const plans = JSON.stringify(plansOf(channels));
  const name = dies ? 'dying-stand-in' : 'stand-in';
  const program = join(folder, `${name}.cjs`);
  await writeFile(
    program,
    `const { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const tell = (event, what) => console.log(JSON.stringify({ event, ...what }));
const job = JSON.parse(readFileSync(process.argv[3], 'utf8'));
tell('started', { device: 'cpu', threads: 1 });
if (job.task === 'train') {
  const isNew = !existsSync(job.state);
  if (isNew) writeFileSync(process.env.nnUNet_preprocessed + '/Dataset001_compared/nnUNetPlans.json', ${JSON.stringify(plans)});
  writeFileSync(job.state, JSON.stringify({ phase: 'prepared', epoch: 1, seconds: job.seconds_used + 10 }));
  tell('prepared', { seconds: 4 });
  const epoch = (number) => tell('epoch', { epoch: number, total: 7, iterations: 3 * number, learning_rate: 0.01, loss: 0.5 / number,
    step_seconds: 2, epoch_seconds: 6, peak_memory_bytes: 1000, seconds: 6 * number });
  tell('step', { epoch: 0, done: 1, total: 3, loss: 0.5 });
  if (isNew) epoch(1);
  epoch(2);
  if (isNew && ${dies}) process.exit(1);
  tell('trained', { iterations: 21, iterations_per_epoch: 3, epochs: 7, step_seconds: 2, parameters: 5, peak_memory_bytes: 1000, seconds: 60 });
}
job.cases.forEach(({ name, out }, index) => {
  copyFileSync(${JSON.stringify(labels)} + '/' + name + '.nii.gz', out + '.nii.gz');
  tell('case', { name, done: index + 1, total: job.cases.length });
});
tell('finished', { prediction_seconds: 4 });
process.exit();
`,
  );
  return fakePython(folder, name, `exec "${process.execPath}" "${program}" "$@"`);
}
