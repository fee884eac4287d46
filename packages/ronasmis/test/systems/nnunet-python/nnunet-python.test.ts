import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { noGradient, readSafetensors, scope } from '@ronasmis/libtorch';
import { expect, it } from 'vitest';
import { unetSchema } from '../../../src/architecture/unet.ts';
import { createRandom } from '../../../src/base/random.ts';
import { readNifti } from '../../../src/formats/nifti.ts';
import { forward } from '../../../src/network/forward.ts';
import { unetNetwork } from '../../../src/network/unet.ts';
import { readRecord } from '../../../src/run/read-run.ts';
import { modelFolder, nnunetFolders } from '../../../src/systems/nnunet-python/folders.ts';
import { nnunetPython } from '../../../src/systems/nnunet-python/nnunet-python.ts';
import { readNnunetRun, trainingSchema } from '../../../src/systems/nnunet-python/record.ts';
import { chirp, expectDigest } from '../../chirp.ts';
import { boxCase, straight, temporaryFolder, writeDataSet } from '../../formats/scans.ts';

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

// PyTorch and nnU-Net are imported three times, which takes half a minute each where other work runs, and leaves a minute to train in.
it.skipIf(python === undefined)(
  'nnU-Net trains within its time, and what it has learnt is the same network here (needs RONASMIS_TEST_NNUNET_PYTHON)',
  async () => {
    const dataSet = await writeDataSet(join(folder, 'boxes'), visibleBoxes(9));
    const out = join(folder, 'run');
    const options = { device: 'cpu', precision: 'auto', ...(python !== undefined && { python }) } as const;
    const timeSeconds = 240;
    await nnunetPython.train({ dataSet, out, timeSeconds, folds: 3, fold: 1, seed: 1, ...options }, {});
    const { begun, report } = await readNnunetRun(out);
    const training = await readRecord(nnunetFolders(out).root, 'training.json', trainingSchema);
    expect(training?.iterations).toBeGreaterThan(1);
    expect(report?.seconds).toBeGreaterThan(0.7 * timeSeconds);
    // A fifth more where other work slows down what was timed, at most.
    expect(report?.seconds).toBeLessThan(1.2 * timeSeconds);

    // What was said of the test cases is said again of the same scans, in the data set's own labels.
    const test = begun?.record.test ?? [];
    expect(test).toHaveLength(3);
    const segmented = join(folder, 'segmented');
    await nnunetPython.segment?.(
      out,
      test.map(({ images: [image] }) => image),
      segmented,
      options,
    );
    for (const { name } of test) {
      const [again, before] = await Promise.all(
        [segmented, nnunetFolders(out).predictions].map((of) => readNifti(join(of, `${name}.nii.gz`))),
      );
      expect([...again.data]).toEqual([...before.data]);
    }

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
