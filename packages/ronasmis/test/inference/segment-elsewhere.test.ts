import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { clipOutliers } from '../../src/data/outliers.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { loadRuntime } from '../../src/export/check.ts';
import { encodeOnnx, ports } from '../../src/export/model.ts';
import { readNifti } from '../../src/formats/nifti.ts';
import { volumeOn } from '../../src/formats/nifti-header.ts';
import { gridAt } from '../../src/formats/volume.ts';
import { loadModel, type Model } from '../../src/inference/model.ts';
import { segment } from '../../src/inference/segment.ts';
import { planElsewhere, type RunNetwork, segmentElsewhere } from '../../src/inference/segment-elsewhere.ts';
import { segmentVolume } from '../../src/inference/segment-volume.ts';
import { liveBytes } from '../../src/network/live-bytes.ts';
import { removeSmallComponents } from '../../src/preparation/components.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { paperRecipe } from '../../src/recipe/paper.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import type { RunRecord } from '../../src/run/run-record.ts';
import { narrowModel } from '../export/models.ts';
import { straight } from '../formats/scans.ts';
import { modest, patch, spotted } from './modest.ts';
import { refusal, scan, writeRun } from './predicting.ts';
import { child, network, storedWeights } from './tiny-run.ts';

/** So wide that its features take more than what is put together of tiles. */
const wide = { inputChannels: 1, classes: 3, channels: [12, 12, 12, 12, 12], flatLevels: 0 };
const windows = { ...defaultRecipe, inference: nnunetRecipe.inference };
const settings: Readonly<Record<string, Partial<RunRecord>>> = {
  'in one pass': { orientation: 'LPI' },
  'at another spacing': { orientation: 'RAS', spacing: [2, 1.3, 0.7] },
  'across thick slices, by interpolated logits': { orientation: 'RAS', spacing: [4, 0.9, 0.9], recipe: windows },
  'in mirrored windows': { recipe: windows },
};

/** ONNX Runtime in this process, in place of the one in a page. */
async function openRunner(model: Model): Promise<RunNetwork> {
  const runtime = await loadRuntime();
  const session = await runtime.InferenceSession.create(encodeOnnx(model), { intraOpNumThreads: 1 });
  return async (image, shape) => {
    const { [ports.output]: found } = await session.run({ [ports.input]: new runtime.Tensor('float32', image, shape) });
    if (!(found.data instanceof Float32Array)) throw new TypeError('Logits are float32.');
    return found.data;
  };
}

describe.each(Object.entries(settings))('segments a scan as libtorch does: %s', (_name, run) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(await writeRun(storedWeights, run), 'cpu');
  });

  it('to the last voxel', async () => {
    const { volume } = clipOutliers(await readNifti(scan));
    const plan = planElsewhere(model, volume, 2 ** 40);
    const passes: number[] = [];
    const found = await segmentElsewhere(model, plan, await openRunner(model), (done) => passes.push(done));
    expect(passes).toEqual(Array.from({ length: plan.passes }, (_, pass) => pass));
    const how = { device: 'cpu', dataType: 'float32', probabilities: false, memoryBytes: undefined } as const;
    const expected = segmentVolume(model, volume, how, () => {});
    expect(expected.tile).toEqual(plan.tile);
    expect({ ...found, classes: undefined }).toEqual({ crop: expected.crop, turn: expected.turn, classes: undefined });
    expect(new Set(found.classes).size).toBeGreaterThan(1);
    expect(Buffer.compare(found.classes, expected.classes)).toBe(0);
  });

  it('without the small components of the classes that are cleaned', async () => {
    const { volume } = clipOutliers(await readNifti(scan));
    const plan = planElsewhere(model, volume, 2 ** 40);
    const how = { device: 'cpu', dataType: 'float32', probabilities: false, memoryBytes: undefined } as const;
    const all = segmentVolume(model, volume, how, () => {});
    const expected = removeSmallComponents(all.classes, all.crop.shape, [1, 2]);
    expect(Buffer.compare(expected, all.classes)).not.toBe(0);
    const cleaning = { ...model, cleaned: [1, 2] };
    const cleaned = [
      segmentVolume(cleaning, volume, how, () => {}),
      await segmentElsewhere(cleaning, plan, await openRunner(model)),
    ];
    for (const { classes } of cleaned) expect(Buffer.compare(classes, expected)).toBe(0);
  });
});

it('looks again at the region of what it found as libtorch does, in one pass and in tiles', async () => {
  const own = { ...child, patch: { depth: patch[0], height: patch[1], width: patch[2] } };
  const model = narrowModel(own, {}, wide);
  const grid = gridAt([20, 40, 24], 1, straight());
  const scanned = volumeOn('scan.nii', grid, spotted());
  const whole = planElsewhere(model, scanned, 2 ** 40);
  const image = toImage(whole.image, [1, 1, ...whole.shape], 'cpu', 'float32');
  const few = { ...model, weights: modest(model.network, model.weights, image) };
  const { plan } = whole;
  const inOneLook = segment(few.network, few.weights, image, plan).toNumbers();
  for (const cut of [whole, planElsewhere(few, scanned, whole.bytes - 1)]) {
    const passes: number[] = [];
    const { classes } = await segmentElsewhere(few, cut, await openRunner(few), (done) => passes.push(done));
    const tile = cut.tile ?? undefined;
    const expected = segment(few.network, few.weights, image, { ...plan, region: patch, tile }).toNumbers();
    expect(Array.from(classes)).toEqual(expected);
    if (cut === whole) expect(expected).not.toEqual(inOneLook);
    expect(passes.length).toBeGreaterThan(cut === whole ? 1 : 2);
    expect(passes.length).toBeLessThanOrEqual(cut.passes);
  }
});

it('goes in smaller tiles where memory does not suffice, and says in a sentence where it does not for any', async () => {
  const recipe = { ...defaultRecipe, inference: paperRecipe.inference };
  const model = narrowModel(child, { recipe }, wide);
  const random = createRandom(7);
  const data = Float32Array.from({ length: 24 * 40 * 20 }, () => 1 + random.uniform());
  const volume = volumeOn('scan.nii', gridAt([20, 40, 24], 1, straight()), data);
  const whole = planElsewhere(model, volume, 2 ** 40);
  expect([whole.tile, whole.isCut, whole.passes]).toEqual([null, false, 1]);
  const cut = planElsewhere(model, volume, whole.bytes - 1);
  expect([cut.tile, cut.isCut, cut.passes, cut.bytes < whole.bytes]).toEqual([[20, 32, 24], true, 2, true]);
  const { classes } = await segmentElsewhere(model, cut, await openRunner(model));
  const image = toImage(cut.image, [1, 1, ...cut.shape], 'cpu', 'float32');
  const expected = segment(model.network, model.weights, image, { ...cut.plan, tile: cut.tile ?? undefined });
  expect(Array.from(classes)).toEqual(expected.toNumbers());
  expect(await refusal((async () => planElsewhere(model, volume, 1000))())).toBe(
    'UserError: scan.nii: memory does not suffice for it, nor for tiles of it. Crop or resample the scan.',
  );
});

it('counts at least the features of the finest level, and twice as many for twice the volume', () => {
  const bytes = liveBytes(network, [32, 32, 32]);
  expect(bytes).toBeGreaterThan(4 * 2 * 2 * 32 ** 3);
  expect(liveBytes(network, [64, 32, 32]) / bytes).toBeCloseTo(2, 5);
});
