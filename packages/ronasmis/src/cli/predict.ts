import { type Command, Option } from 'commander';
import { type PredictionFormat, predictionFormats } from '../inference/options.ts';
import type { Prediction } from '../inference/predict.ts';
import { Exit } from './exit.ts';
import { interruptible } from './interrupt.ts';
import {
  deviceOption,
  type EngineOptions,
  jsonOption,
  memoryOption,
  overwriteOption,
  precisionOption,
} from './options.ts';
import { print, printJson, printProblems, table } from './output.ts';
import { warner } from './run-search.ts';

type Options = EngineOptions & {
  readonly out: string;
  readonly format: PredictionFormat;
  readonly probabilities?: true;
  readonly memory?: number;
  readonly overwrite?: true;
  readonly json?: true;
};

/** Adds `predict RUN INPUT...`. */
export function addPredict(program: Command): void {
  program
    .command('predict')
    .description('segment scans with the network of a search, each on its own grid')
    .argument('<run>', 'run folder of a finished search')
    .argument('<input...>', 'scans (NIfTI, NRRD, MetaImage, or a folder with a DICOM series) or folders of them')
    .requiredOption('--out <folder>', 'folder for the label maps')
    .addOption(
      new Option('--format <format>', 'how label maps are written; dicom-seg: as DICOM Segmentations, of DICOM series')
        .choices(predictionFormats)
        .default('nifti'),
    )
    .option('--probabilities', 'also write the probability of each class, as NAME_probabilities.nii.gz')
    .addOption(memoryOption())
    .addOption(deviceOption())
    .addOption(precisionOption())
    .addOption(overwriteOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis predict runs/prostate data/Prostate/imagesTs --out predictions')
    .action(async (run: string, inputs: readonly string[], { json, memory, ...options }: Options) => {
      const { predict, IncompletePrediction } = await import('../inference/predict.ts');
      const { openProgress } = await import('./progress.ts');
      const view = openProgress();
      const { predictions, problems } = await interruptible('What is finished stays in the output folder.', (signal) =>
        predict(
          { run, inputs, ...(memory !== undefined && { memoryBytes: memory }), ...options },
          { signal, onProgress: view.update, onWarning: warner(view) },
        )
          .then(
            (predictions) => ({ predictions, problems: [] }),
            (error: unknown) => {
              if (error instanceof IncompletePrediction) return error;
              throw error;
            },
          )
          .finally(view.stop),
      );
      if (json) printJson({ predictions, problems });
      else if (predictions.length > 0) printPredictions(predictions);
      printProblems(problems);
      if (problems.length > 0) throw new Exit(2);
    });
}

function printPredictions(predictions: readonly Prediction[]): void {
  print(
    table(
      ['output', 'seconds'],
      predictions.map(({ output, seconds }) => [output, seconds.toFixed(2)]),
    ),
  );
}
