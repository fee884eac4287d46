import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { UNet } from '../../../src/architecture/architecture.ts';
import { createRandom } from '../../../src/base/random.ts';
import { readDataSet } from '../../../src/data/dataset.ts';
import { networkOf } from '../../../src/network/of-architecture.ts';
import { elementCount } from '../../../src/network/parameters.ts';
import { prepareDataSet } from '../../../src/preparation/prepare.ts';
import { planInputsOf } from '../../../src/systems/nnunet/fingerprint.ts';
import { networkOfPlan, planNetwork } from '../../../src/systems/nnunet/layout.ts';
import { planNnunet } from '../../../src/systems/nnunet/plan.ts';
import { readPlanInputs } from '../../../src/systems/nnunet/plan-inputs.ts';
import type { PresetName } from '../../../src/systems/nnunet/presets.ts';
import { ballCase, boxCase, temporaryFolder, writeDataSet } from '../../formats/scans.ts';
import { fingerprint } from './described.ts';

const published = join(process.env.RONASMIS_TEST_DATA ?? 'nowhere', '..', 'nnunet-plans');
const tasks = existsSync(published) ? readdirSync(published).sort() : [];
const files = { default: 'plans_default.json', m: 'plans_resenc_m.json', l: 'plans_resenc_l.json' } as const;
const plans = tasks.flatMap((task) => (['default', 'm', 'l'] as const).map((preset) => ({ task, preset })));

const root = await temporaryFolder();

/** nnU-Net's own `3d_fullres`. */
function publishedPlan(task: string, preset: PresetName) {
  const { configurations } = JSON.parse(readFileSync(join(published, task, files[preset]), 'utf8'));
  return configurations['3d_fullres'];
}

/** The network that we plan from nnU-Net's own fingerprint. */
async function ourNetwork(task: string, preset: PresetName): Promise<UNet> {
  const folder = join(published, task);
  const inputs = await readPlanInputs(join(folder, 'dataset_fingerprint.json'), join(folder, 'dataset.json'));
  const planned = planNnunet({ ...inputs, preset });
  const { '3d_fullres': full } = planned.configurations;
  if (full === undefined) throw new Error(`${task} has no full resolution.`);
  return networkOfPlan(full, planned);
}

it.skipIf(plans.length === 0).each(plans)(
  "the network of $task, $preset, is what nnU-Net's own plan says (needs nnunet-plans beside the folder RONASMIS_TEST_DATA)",
  async ({ task, preset }) => {
    const network = await ourNetwork(task, preset);
    const { patch_size, batch_size, architecture } = publishedPlan(task, preset);
    const { arch_kwargs: kwargs } = architecture;
    const { depth, height, width } = network.patch;
    expect([depth, height, width]).toEqual(patch_size);
    expect(network.batch).toBe(batch_size);
    expect(network.features).toEqual(kwargs.features_per_stage);
    expect(network.kernels).toEqual(kwargs.kernel_sizes);
    expect(network.strides).toEqual(kwargs.strides);
    const isPlain = preset === 'default';
    expect(network.encoder).toEqual({
      block: isPlain ? 'convolutions' : 'residual',
      counts: isPlain ? kwargs.n_conv_per_stage : kwargs.n_blocks_per_stage,
    });
    expect(network.decoder).toEqual({
      block: 'convolutions',
      counts: kwargs.n_conv_per_stage_decoder.toReversed(),
    });
    expect(network.decoder.counts).toHaveLength(kwargs.n_stages - 1);
  },
);

// PyTorch 2.15.0, nnunetv2 2.8.1: the numbers of get_network_from_plans(...).parameters(), without the biases of convolutions that a norm follows
// and the head of the lowest decoder stage, whose loss nnU-Net weighs with 0: 30785994 - 3840 - 642, and 140403602 - 17216 - 963.
it.skipIf(plans.length === 0).each([
  ['Dataset002_Heart', 'default', { inputChannels: 1, classes: 2 }, 30_781_512],
  ['Dataset005_Prostate', 'm', { inputChannels: 2, classes: 3 }, 140_385_423],
] as const)('%s, %s, has as many weights as in PyTorch', async (task, preset, scan, expected) => {
  const planned = await ourNetwork(task, preset);
  const network = networkOf(planned, { ...scan, channels: planned.features, flatLevels: 0 });
  expect(elementCount([...network.parameters, ...network.auxiliaryParameters])).toBe(expected);
});

it("has the axes of the files where the plan's are transposed, and a decoder's counts from the full resolution down", () => {
  const dataset = { name: 'Boxes', channels: ['CT'], classes: 3, cases: 3, reader: 'SimpleITKIO' };
  const sagittal = {
    ...fingerprint,
    shapes_after_crop: fingerprint.shapes_after_crop.map(([depth, height, width]) => [height, width, depth] as const),
    spacings: fingerprint.spacings.map(([depth, height, width]) => [height, width, depth] as const),
  };
  const [straight, turned] = [fingerprint, sagittal].map((own) => {
    const planned = planNnunet({ fingerprint: own, dataset, preset: 'default' });
    const { '3d_fullres': full } = planned.configurations;
    if (full === undefined) throw new Error('There is no full resolution.');
    return { full, planned, network: networkOfPlan(full, planned) };
  });
  const { depth, height, width } = straight.network.patch;
  expect(turned.network.patch).toEqual({ depth: height, height: width, width: depth });
  for (const name of ['kernels', 'strides'] as const) {
    expect(turned.network[name]).toEqual(straight.network[name].map(([z, y, x]) => [y, x, z]));
  }
  expect(straight.network.kernels[0]).toEqual([1, 3, 3]);
  const kwargs = { ...straight.full.architecture.arch_kwargs, n_conv_per_stage_decoder: [3, 2, 1] };
  if (!('n_conv_per_stage' in kwargs)) throw new Error('The default preset plans convolutions.');
  const architecture = {
    network_class_name: 'dynamic_network_architectures.architectures.unet.PlainConvUNet',
    arch_kwargs: kwargs,
    _kw_requires_import: [],
  } as const;
  expect(networkOfPlan({ ...straight.full, architecture }, straight.planned).decoder.counts).toEqual([1, 2, 3]);
});

/** The plan for a data set as a run makes it. */
async function planFor(folder: string) {
  const dataSet = await readDataSet(folder);
  const { cases } = await prepareDataSet(dataSet, { folds: 3, cacheFolder: join(root, 'cache') });
  return planNetwork({ dataSet, cases }, 'default');
}

it('a data set is planned for from its prepared cases, of which one may be resampled, and refused where its scans show one slice', async () => {
  const random = createRandom(1);
  const [balls, slices] = [join(root, 'Balls'), join(root, 'Slices')];
  await writeDataSet(balls, [...['a', 'b', 'c'].map((name) => ballCase(name, random)), ballCase('d', random, 1.5)], {
    modality: { 0: 'T1', 1: 'T2' },
    labels: { 0: 'background', 1: 'ball' },
  });
  const planned = await planFor(balls);
  // The crop leaves 18 voxels of 24, which two halvings make 5, too few for a third.
  expect(planned).toMatchObject({ batchDice: false, isMasked: true });
  expect(planned.architecture.strides).toEqual([
    [1, 1, 1],
    [2, 2, 2],
    [2, 2, 2],
  ]);
  expect(planned.architecture.patch).toEqual({ depth: 20, height: 20, width: 20 });
  // As from the scans themselves.
  const plans = planNnunet({ ...(await planInputsOf(await readDataSet(balls))), preset: 'default' });
  const { '3d_fullres': full } = plans.configurations;
  expect(full && networkOfPlan(full, plans)).toEqual(planned.architecture);
  const flat = ['a', 'b', 'c'].map((name) => {
    const { image, ...others } = boxCase(name, random, [16, 16, 3]);
    return {
      ...others,
      image: { ...image, data: Int16Array.from(image.data, (value, i) => (i >> 8 === 1 ? value : 0)) },
    };
  });
  await writeDataSet(slices, flat);
  await expect(planFor(slices)).rejects.toThrow(
    `${slices}: its scans are of one slice, for which nnU-Net plans no network of three dimensions.`,
  );
});
