import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { noGradient, readSafetensors, scope } from '@ronasmis/libtorch';
import { beforeAll, describe, expect, it } from 'vitest';
import { unetSchema } from '../../../src/architecture/unet.ts';
import { createRandom } from '../../../src/base/random.ts';
import { compare } from '../../../src/compare/compare.ts';
import { readNifti } from '../../../src/formats/nifti.ts';
import { predict } from '../../../src/inference/predict.ts';
import { forward } from '../../../src/network/forward.ts';
import { unetNetwork } from '../../../src/network/unet.ts';
import { readComparison, readRecord, readRun } from '../../../src/run/read-run.ts';
import { modelFolder, nnunetFolders } from '../../../src/systems/nnunet-python/folders.ts';
import { nnunetPython } from '../../../src/systems/nnunet-python/nnunet-python.ts';
import { readNnunetRun, trainingSchema } from '../../../src/systems/nnunet-python/record.ts';
import { chirp, expectDigest } from '../../chirp.ts';
import { fakeSystem } from '../../compare/fake-system.ts';
import { boxCase, straight, temporaryFolder, writeDataSet } from '../../formats/scans.ts';
import { fakePython } from './python.ts';
import { standIn } from './stand-in.ts';

const python = process.env.RONASMIS_TEST_NNUNET_PYTHON;
if (python === undefined)
  console.warn('Skipping nnU-Net itself: RONASMIS_TEST_NNUNET_PYTHON names no Python with nnunetv2 in it.');

const folder = await temporaryFolder();

/** Scans that show what is to be found, with thick slices along x: nnU-Net turns their axes, so that z, y, x become x, z, y. */
function visibleBoxes(count: number) {
  const random = createRandom(5);
  return Array.from({ length: count }, (_, i) => {
    const { name, image, label } = boxCase(`case${i}`, random, [12, 20, 22]);
    const data = Int16Array.from(image.data, (value, voxel) => value + 1000 * label.data[voxel]);
    const affine = straight(4, 1, 1);
    return { name, image: { ...image, data, affine }, label: { ...label, affine } };
  });
}

/** nnU-Net's trained network by its own classes, and its logits of a chirp; axes are turned there and back. */
const logitsOfNnunet = `
import json, sys, torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
predictor = nnUNetPredictor(device=torch.device('cpu'))
predictor.initialize_from_trained_model_folder(sys.argv[1], (0,), 'checkpoint_final.pth')
def chirp(shape, phase):
    index = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(0.7 * index * index + phase).reshape(shape)
plans = predictor.plans_manager
image = chirp(json.loads(sys.argv[2]), 1).float().permute(0, 1, *[2 + axis for axis in plans.transpose_forward])
with torch.no_grad():
    logits = predictor.network.eval()(image).permute(0, 1, *[2 + axis for axis in plans.transpose_backward])
flat = logits.double().flatten()
print(json.dumps({'turned': plans.transpose_forward, 'shape': list(logits.shape),
    'values': [flat[i * (len(flat) - 1) // 11].item() for i in range(12)], 'mean': (flat * chirp(flat.shape, 9)).mean().item()}))
`;

describe('in a comparison', () => {
  const options = {
    dataSet: join(folder, 'compared boxes'),
    seeds: 1,
    timeSeconds: 90,
    folds: 3,
    fold: 0,
    device: 'cpu',
    precision: 'fp32',
  } as const;
  const compareWith = (out: string, program: string) =>
    compare({ ...options, out: join(folder, out), python: program }, [fakeSystem('other'), nnunetPython]);
  beforeAll(async () => {
    await writeDataSet(options.dataSet, visibleBoxes(6));
  });

  it('what nnU-Net has said of the test cases behind its training is scored, and what that took is told', async () => {
    const program = await standIn(folder, join(options.dataSet, 'labelsTr'));
    await compareWith('compared', program);
    const { runs } = await readComparison(join(folder, 'compared'));
    expect(runs['nnunet-python-fold0-seed1']).toMatchObject({
      state: 'finished',
      training_seconds: 60,
      prediction_seconds: 4,
      parameters: 5,
    });
    const { results } = await readComparison(join(folder, 'compared'));
    expect(results?.systems.find(({ name }) => name === 'nnunet-python')?.figures?.dice).toBe(1);
  });

  it.each([
    ['is not there', async () => join(folder, 'nowhere'), /--python .*nowhere: there is no such program/],
    [
      'has no nnU-Net',
      () => fakePython(folder, 'empty', '', '{"nnunetv2": null, "torch": "2.8.0"}'),
      /this Python has no nnunetv2\. Install it there by/,
    ],
    [
      'fails on the way',
      () => fakePython(folder, 'failing', 'echo "RuntimeError: out of luck" >&2\nexit 1'),
      /nnU-Net's process failed: RuntimeError: out of luck/,
    ],
  ])('a Python that %s is a failure of this system alone', async (what, program, sentence) => {
    const { systems } = await compareWith(what, await program());
    const [other, own] = systems;
    expect(other.figures?.dice).toBeTypeOf('number');
    expect(own.figures).toBeNull();
    expect(own.failures).toEqual([
      { run: 'nnunet-python-fold0-seed1', message: expect.stringMatching(sentence), is_defect: false },
    ]);
  });
});

// PyTorch and nnU-Net are imported three times, which takes half a minute each where other work runs, and leaves a minute to train in.
it.skipIf(python === undefined)(
  'nnU-Net trains within its time, and what it has learnt is the same network here (needs RONASMIS_TEST_NNUNET_PYTHON)',
  async () => {
    const dataSet = await writeDataSet(join(folder, 'boxes'), visibleBoxes(9));
    const out = join(folder, 'run');
    const options = { device: 'cpu', precision: 'auto', ...(python !== undefined && { python }) } as const;
    const timeSeconds = 180;
    await nnunetPython.train({ dataSet, out, timeSeconds, folds: 3, fold: 1, seed: 1, ...options }, {});
    const { run, report, events } = await readRun(out);
    const training = await readRecord(nnunetFolders(out).root, 'training.json', trainingSchema);
    expect(training?.iterations).toBeGreaterThan(1);
    expect(report?.seconds).toBeGreaterThan(0.7 * timeSeconds);
    // However slow the machine is, the schedule has reached its end: the rate is that of the last epoch, or of the last but one.
    const { epochs = 0, iterations } = training ?? {};
    const rates = (await readFile(nnunetFolders(out).log, 'utf8')).matchAll(/Current learning rate: ([\d.e-]+)/g);
    expect(Number([...rates].at(-1)?.[1])).toBeLessThan(0.01 * (2 / (epochs + 1)) ** 0.9 + 1e-5);
    expect(events.at(-1)).toMatchObject({ step: epochs, steps: iterations });
    expect(run.settings.system).toBe('nnunet-python');

    // What is said of the test cases here is what nnU-Net has said of them: all but a few voxels on the border.
    const { begun } = await readNnunetRun(out);
    const test = begun?.given.test ?? [];
    expect(test).toHaveLength(3);
    const inputs = test.map(({ images: [image] }) => image);
    const [segmented, predicted] = ['segmented', 'predicted'].map((name) => join(folder, name));
    await nnunetPython.segment?.(out, inputs, segmented, options);
    await predict({ run: out, inputs, out: predicted, device: 'cpu' });
    for (const { name } of test) {
      const [theirs, ours] = await Promise.all(
        [segmented, predicted].map((of) => readNifti(join(of, `${name}.nii.gz`))),
      );
      const different = ours.data.filter((value, voxel) => value !== theirs.data[voxel]).length;
      expect(different / ours.data.length).toBeLessThan(0.002);
    }
    // Of scans that it has not met, it is asked.
    const [one] = inputs;
    await nnunetPython.segment?.(out, [one], join(folder, 'again'), options);
    const [again, before] = await Promise.all(
      [join(folder, 'again'), segmented].map((of) => readNifti(join(of, `${test[0].name}.nii.gz`))),
    );
    expect([...again.data]).toEqual([...before.data]);

    const architecture = await readRecord(out, 'architecture.json', unetSchema);
    if (architecture === undefined) throw new Error('There is no architecture.json.');
    const { depth, height, width } = architecture.patch;
    const size = [1, 1, depth, height, width];
    const asked = await promisify(execFile)(python ?? '', [
      '-c',
      logitsOfNnunet,
      modelFolder(out),
      JSON.stringify(size),
    ]);
    const expected = JSON.parse(asked.stdout.trim().split('\n').at(-1) ?? '');
    expect(expected.turned).toEqual([2, 0, 1]);
    const { tensors } = await readSafetensors(join(out, 'model.safetensors'));
    const network = unetNetwork(architecture, { inputChannels: 1, classes: 3 });
    noGradient(() => scope(() => expectDigest(forward(network, tensors, chirp(size, 1))[0], expected, 1e-4)));
  },
  900_000,
);
