import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fakePython } from './python.ts';

/** What the stand-in says of the network that it has not trained: nnU-Net's plan of a phantom, made smaller. */
const plans = {
  transpose_backward: [0, 1, 2],
  configurations: {
    '3d_fullres': {
      patch_size: [24, 40, 40],
      batch_size: 2,
      architecture: {
        network_class_name: 'dynamic_network_architectures.architectures.unet.PlainConvUNet',
        arch_kwargs: {
          features_per_stage: [32, 64, 128],
          kernel_sizes: [
            [1, 3, 3],
            [3, 3, 3],
            [3, 3, 3],
          ],
          strides: [
            [1, 1, 1],
            [1, 2, 2],
            [2, 2, 2],
          ],
          n_conv_per_stage: [2, 2, 2],
          n_conv_per_stage_decoder: [2, 2],
        },
      },
    },
  },
};

/**
 * A program in the place of a Python with nnU-Net, that knows where the label maps are: what it says of a scan is that of `labels`, a folder of
 * label maps whose values are class indices. So everything around nnU-Net is seen without it.
 * @param dies the first time, once it is halfway
 */
export async function standIn(folder: string, labels: string, { dies = false } = {}): Promise<string> {
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
  writeFileSync(job.state, JSON.stringify({ phase: 'prepared', seconds: job.seconds_used + 10 }));
  if (isNew && ${dies}) process.exit(1);
  tell('prepared', { seconds: 4 });
  tell('step', { epoch: 0, done: 1, total: 3, loss: 0.5 });
  tell('epoch', { epoch: 1, total: 7, iterations: 3, learning_rate: 0.01, loss: 0.5, step_seconds: 2, seconds: 6 });
  mkdirSync(job.model, { recursive: true });
  writeFileSync(job.model + '/plans.json', ${JSON.stringify(JSON.stringify(plans))});
  tell('trained', { iterations: 21, iterations_per_epoch: 3, epochs: 7, step_seconds: 2, parameters: 5, seconds: 60 });
}
job.cases.forEach(({ name, out }, index) => {
  copyFileSync(${JSON.stringify(labels)} + '/' + name + '.nii.gz', out + '.nii.gz');
  tell('case', { name, done: index + 1, total: job.cases.length, seconds: 1 });
});
tell('finished', { peak_memory_bytes: 1000, seconds: 64 });
process.exit();
`,
  );
  return fakePython(folder, name, `exec "${process.execPath}" "${program}" "$@"`);
}
