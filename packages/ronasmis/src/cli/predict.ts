import type { Command } from 'commander';
import { interruptible } from './interrupt.ts';
import { deviceOption, type EngineOptions, jsonOption, memoryOption, precisionOption } from './options.ts';
import { print, printJson, table } from './output.ts';
import { warner } from './run-search.ts';

type Options = EngineOptions & {
  readonly out: string;
  readonly probabilities?: true;
  readonly memory?: number;
  readonly json?: true;
};

/** Adds `predict RUN INPUT...`. */
export function addPredict(program: Command): void {
  program
    .command('predict')
    .description("segment scans with a search's network; each result lies on the scan's own grid")
    .argument('<run>', 'run folder of a finished search')
    .argument('<input...>', 'scans (NIfTI, NRRD, MetaImage, or a folder with a DICOM series) or folders of them')
    .requiredOption('--out <folder>', 'where the label maps go')
    .option(
      '--probabilities',
      'write the probability of each class beside each label map, as NAME_probabilities.nii.gz',
    )
    .addOption(memoryOption())
    .addOption(deviceOption())
    .addOption(precisionOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis predict runs/prostate data/Prostate/imagesTs --out predictions')
    .action(async (run: string, inputs: readonly string[], { json, memory, ...options }: Options) => {
      const { predict } = await import('../inference/predict.ts');
      const { openProgress } = await import('./progress.ts');
      const view = openProgress();
      const results = await interruptible('What is finished stays in the output folder.', (signal) =>
        predict(
          { run, inputs, ...(memory !== undefined && { memoryBytes: memory }), ...options },
          { signal, onProgress: view.update, onWarning: warner(view) },
        ).finally(view.stop),
      );
      if (json) {
        printJson(results);
        return;
      }
      print(
        table(
          ['output', 'seconds'],
          results.map(({ output, seconds }) => [output, seconds.toFixed(2)]),
        ),
      );
    });
}
