import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planNnunet } from '../../../src/systems/nnunet/plan.ts';
import type { NnunetFingerprint } from '../../../src/systems/nnunet/plan-inputs.ts';
import { readPlanInputs } from '../../../src/systems/nnunet/plan-inputs.ts';
import { type Plans, plansSchema } from '../../../src/systems/nnunet/plans.ts';
import type { PresetName } from '../../../src/systems/nnunet/presets.ts';
import { fingerprint } from './described.ts';

const published = join(process.env.RONASMIS_TEST_DATA ?? 'nowhere', '..', 'nnunet-plans');
const tasks = existsSync(published) ? readdirSync(published).sort() : [];
const files = { default: 'plans_default.json', m: 'plans_resenc_m.json', l: 'plans_resenc_l.json' } as const;

const presetNames: readonly PresetName[] = ['default', 'm', 'l'];
const dataset = { name: 'Boxes', channels: ['CT'], classes: 3, cases: 3, reader: 'SimpleITKIO' };
const turned = (values: readonly (readonly number[])[]) =>
  values.map(([depth, height, width]) => [height, width, depth] as const);

/** What differs from plan to plan, of each configuration. */
const figuresOf = ({ configurations }: Plans) =>
  Object.entries(configurations).flatMap(([name, one]) => {
    if (one === undefined || !('patch_size' in one)) return [];
    const { patch_size, batch_size, spacing, median_image_size_in_voxels: image, batch_dice } = one;
    return [[name, patch_size, batch_size, spacing, image, batch_dice]];
  });

describe('what nnU-Net plans, to the last figure', () => {
  // nnunetv2 2.8.1: plan_experiment of ExperimentPlanner, nnUNetPlannerResEncM and -L with these inputs and plans_name='nnUNetPlans'.
  const slices = (batch: number) => ['2d', [512, 512], batch, [0.75, 0.75], [478, 478], true] as const;
  const low = ['3d_lowres', [64, 192, 192], 2, [2.3635685010000005, 1.2035298293240906, 1.2035298293240906]] as const;
  const full = [
    [2.1, 0.75, 0.75],
    [119, 478, 478],
  ] as const;
  it.each<[PresetName, ...(readonly unknown[])[]]>([
    ['default', slices(12), [...low, [106, 298, 298], false], ['3d_fullres', [48, 224, 192], 2, ...full, true]],
    ['m', slices(12), [...low, [106, 298, 298], false], ['3d_fullres', [48, 192, 192], 2, ...full, true]],
    ['l', slices(35), ['3d_fullres', [64, 320, 256], 2, ...full, false]],
  ])('%s', (preset, ...figures) => {
    const plans = planNnunet({ fingerprint, dataset, preset });
    expect(figuresOf(plans)).toEqual(figures);
    expect(plansSchema.parse(JSON.parse(JSON.stringify(plans)))).toEqual(plans);
  });

  it('everything beside the configurations', () => {
    const { configurations, ...others } = planNnunet({ fingerprint, dataset, preset: 'm' });
    expect(others).toEqual({
      dataset_name: 'Boxes',
      plans_name: 'nnUNetPlans',
      original_median_spacing_after_transp: [2.5, 0.75, 0.75],
      original_median_shape_after_transp: [100, 500, 480],
      image_reader_writer: 'SimpleITKIO',
      transpose_forward: [0, 1, 2],
      transpose_backward: [0, 1, 2],
      experiment_planner_used: 'nnUNetPlannerResEncM',
      label_manager: 'LabelManager',
      foreground_intensity_properties_per_channel: fingerprint.foreground_intensity_properties_per_channel,
    });
    expect(configurations['3d_lowres']).toMatchObject({
      data_identifier: 'nnUNetPlans_3d_lowres',
      next_stage: '3d_cascade_fullres',
    });
    expect(configurations['3d_cascade_fullres']).toEqual({ inherits_from: '3d_fullres', previous_stage: '3d_lowres' });
  });

  it('of images, whose shapes begin with 1, there are slices alone', () => {
    const images: NnunetFingerprint = {
      ...fingerprint,
      shapes_after_crop: [
        [1, 400, 380],
        [1, 512, 512],
        [1, 500, 480],
      ],
      spacings: [
        [799.2, 0.8, 0.8],
        [699.3, 0.7, 0.7],
        [749.25, 0.75, 0.75],
      ],
    };
    // By the same planners; the residual ones take a batch of all that there is.
    const batches = presetNames.map((preset) => figuresOf(planNnunet({ fingerprint: images, dataset, preset })));
    expect(batches).toEqual([2, 3, 3].map((batch) => [slices(batch)]));
  });
});

it('scans whose slices lie along another axis have the same plan, after a transposition', () => {
  const { shapes_after_crop, spacings } = fingerprint;
  const sagittal = { ...fingerprint, shapes_after_crop: turned(shapes_after_crop), spacings: turned(spacings) };
  const original = planNnunet({ fingerprint, dataset, preset: 'default' });
  const plans = planNnunet({ fingerprint: sagittal, dataset, preset: 'default' });
  expect(plans).toEqual({ ...original, transpose_forward: [2, 0, 1], transpose_backward: [1, 2, 0] });
});

it('refuses what no patch fits', () => {
  const many = { ...dataset, classes: 2e9 };
  expect(() => planNnunet({ fingerprint, dataset: many, preset: 'default' })).toThrow(
    'No patch at all fits, of 2000000000 labels and images of 478 x 478 voxels of 0.75 x 0.75 mm: correct',
  );
});

// AutoNNUNet's publication leaves out of each plan all but these: what it has, we have to have.
const kept = ['configurations', 'original_median_spacing_after_transp', 'transpose_forward'];

it.skipIf(tasks.length === 0).each(presetNames)(
  "the Decathlon's tasks as nnU-Net has planned them, %s (needs nnunet-plans beside the folder RONASMIS_TEST_DATA)",
  async (preset) => {
    for (const task of tasks) {
      const folder = join(published, task);
      const inputs = await readPlanInputs(join(folder, 'dataset_fingerprint.json'), join(folder, 'dataset.json'));
      const plans: Readonly<Record<string, unknown>> = JSON.parse(JSON.stringify(planNnunet({ ...inputs, preset })));
      const expected = JSON.parse(readFileSync(join(folder, files[preset]), 'utf8'));
      expect(Object.keys(expected).sort()).toEqual(kept);
      expect(Object.fromEntries(kept.map((key) => [key, plans[key]])), task).toStrictEqual(expected);
    }
  },
);
