import { type Command, Option } from 'commander';
import { UserError } from '../base/errors.ts';
import type { PlanInputs } from '../systems/nnunet/plan-inputs.ts';
import type { Configuration, Plans } from '../systems/nnunet/plans.ts';
import { type PresetName, presets } from '../systems/nnunet/presets.ts';
import { jsonOption, labelsOption } from './options.ts';
import { coloursOf, print, printJson, table } from './output.ts';

interface Options {
  readonly preset: PresetName;
  readonly fingerprint?: string;
  readonly datasetJson?: string;
  readonly labels?: string;
  readonly json?: true;
}

/** Adds `plan [DATASET]`. */
export function addPlan(program: Command): void {
  program
    .command('plan')
    .description(
      "print what nnU-Net's rules plan for a data set: patch, batch, spacing and U-Net of each configuration",
    )
    .argument('[dataset]', 'folder with dataset.json, imagesTr and labelsTr')
    .addOption(
      new Option('--preset <preset>', "nnU-Net's own planner, or its residual encoders for GPUs of 8 or 24 GB")
        .choices(Object.keys(presets))
        .default('default'),
    )
    .option('--fingerprint <file>', "nnU-Net's dataset_fingerprint.json, in place of <dataset>; needs --dataset-json")
    .option('--dataset-json <file>', 'the dataset.json that belongs to it')
    .addOption(labelsOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis plan data/Prostate --preset m')
    .action(async (dataSet: string | undefined, options: Options) => {
      const { planNnunet } = await import('../systems/nnunet/plan.ts');
      const inputs = await readInputs(dataSet, options);
      const plans = planNnunet({ ...inputs, preset: options.preset });
      if (options.json) printJson(plans);
      else await printPlans(plans, options.preset, inputs.dataset.classes);
    });
}

/** @throws UserError unless there is either a data set or both files */
async function readInputs(dataSet: string | undefined, options: Options): Promise<PlanInputs> {
  const { fingerprint, datasetJson, labels } = options;
  if (fingerprint === undefined && datasetJson === undefined) {
    if (dataSet === undefined)
      throw new UserError('There is nothing to plan for: give a data set, or --fingerprint and --dataset-json.');
    return inputsOfFolder(dataSet, labels);
  }
  if (dataSet !== undefined || labels !== undefined) {
    const given = dataSet ?? '--labels';
    throw new UserError(`${given}: --fingerprint and --dataset-json take the place of a data set. Leave one out.`);
  }
  if (fingerprint === undefined || datasetJson === undefined) {
    const [is, lacks] = fingerprint === undefined ? ['dataset-json', 'fingerprint'] : ['fingerprint', 'dataset-json'];
    throw new UserError(`--${is} alone says too little: give --${lacks} too, or the data set's folder.`);
  }
  const { readPlanInputs } = await import('../systems/nnunet/plan-inputs.ts');
  return readPlanInputs(fingerprint, datasetJson);
}

async function inputsOfFolder(folder: string, labels: string | undefined): Promise<PlanInputs> {
  const { readDataSet } = await import('../data/dataset.ts');
  const { planInputsOf } = await import('../systems/nnunet/fingerprint.ts');
  const { openProgress } = await import('./progress.ts');
  const dataSet = await readDataSet(folder, labels);
  const view = openProgress();
  const onCase = (done: number, total: number) => view.update({ phase: 'prepare', step: 0, done, total });
  return planInputsOf(dataSet, onCase).finally(view.stop);
}

async function printPlans(plans: Plans, preset: PresetName, classes: number): Promise<void> {
  const { formatFigure } = await import('../base/figures.ts');
  const { formatBytes } = await import('../report/format.ts');
  const { estimatedBytes } = await import('../systems/nnunet/memory.ts');
  const { bold } = coloursOf(process.stdout);
  const axes = (values: readonly number[]): string => values.map(formatFigure).join(' x ');
  const { configurations, transpose_forward: forward } = plans;
  const named: readonly (readonly [string, Configuration | undefined])[] = [
    ['2d', configurations['2d']],
    ['3d_lowres', configurations['3d_lowres']],
    ['3d_fullres', configurations['3d_fullres']],
  ];
  const planned = named.flatMap(([name, one]) => (one === undefined ? [] : [{ name, ...one }]));
  const head = ['configuration', 'patch', 'batch', 'spacing mm', 'median image', 'batch Dice', 'memory'];
  const rows = planned.map((one) => [
    one.name,
    axes(one.patch_size),
    String(one.batch_size),
    axes(one.spacing),
    axes(one.median_image_size_in_voxels),
    one.batch_dice ? 'yes' : 'no',
    formatBytes(estimatedBytes(one, presets[preset], classes)),
  ]);
  print(`${bold(plans.dataset_name)}  ${plans.experiment_planner_used}`);
  print(`Axes        ${forward.map((axis) => ['depth', 'height', 'width'][axis]).join(', ')} of the scans`);
  print(`\n${table(head, rows)}`);
  for (const { name, architecture } of planned) {
    const { arch_kwargs: kwargs, network_class_name } = architecture;
    const [blocks, counts] =
      'n_blocks_per_stage' in kwargs
        ? ['blocks', kwargs.n_blocks_per_stage]
        : ['convolutions', kwargs.n_conv_per_stage];
    const stages = kwargs.features_per_stage.map((features, stage) => [
      String(stage),
      String(features),
      axes(kwargs.kernel_sizes[stage]),
      axes(kwargs.strides[stage]),
      String(counts[stage]),
    ]);
    print(`\n${bold(name)}  ${network_class_name.split('.').at(-1)}`);
    print(table(['stage', 'features', 'kernel', 'stride', blocks], stages));
  }
}
