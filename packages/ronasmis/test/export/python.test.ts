import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { clipOutliers } from '../../src/data/outliers.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { exportOnnx } from '../../src/export/export.ts';
import { readNifti } from '../../src/formats/nifti.ts';
import { predict } from '../../src/inference/predict.ts';
import { prepareScan } from '../../src/inference/prepared-scan.ts';
import { paperRecipe } from '../../src/recipe/paper.ts';
import type { RunRecord } from '../../src/run/run-record.ts';
import { straight, temporaryFolder, writeStated } from '../formats/scans.ts';
import { modest } from '../inference/modest.ts';
import { predictingNames } from '../network/peer.ts';
import { macroChild, microChild, narrowModel, writeFinishedRun } from './models.ts';

const python = process.env.RONASMIS_PEERS;
const has = (...modules: readonly string[]): boolean => {
  const found = python !== undefined && spawnSync(python, ['-c', `import ${modules.join(', ')}`]).status === 0;
  if (!found)
    console.warn(`Skipping a comparison with Python: RONASMIS_PEERS names no Python with ${modules.join(', ')}.`);
  return found;
};

/** The programs of docs/export.md: a scan by ONNX Runtime, and the weights. */
const programs = [
  ...readFileSync(new URL('../../../../docs/export.md', import.meta.url), 'utf8').matchAll(/^```python\n(.*?)^```$/gms),
].map(([, program]) => program);
const root = await temporaryFolder();

/** Runs a program in Python; gives what it printed. */
function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(python ?? '', ['-c', program, ...args], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

const readsWeights = has('numpy', 'safetensors');
it.skipIf(!readsWeights)('Python lists every weight of a run in the terms of its architecture', async () => {
  for (const architecture of [macroChild, microChild]) {
    const model = narrowModel(architecture);
    const listed = run(programs[1], await writeFinishedRun(root, model));
    for (const name of predictingNames(model.network)) {
      const shape = model.weights.get(name)?.shape ?? [];
      expect(listed).toContain(`${name} (${shape.join(', ')}${shape.length === 1 ? ',' : ''})`);
    }
    expect(listed.match(/^(en|de)coder level \d: \{/gm)).toHaveLength(9);
    expect(listed).toContain(`decoder level 2: ${JSON.stringify(architecture.decoder[2]).replace(/([,:])/g, '$1 ')}`);
  }
});

const runsOnnx = has('numpy', 'nibabel', 'onnxruntime');
it.skipIf(!runsOnnx)('Python segments a scan by the exported network as predict does', async () => {
  const labels = [0, 2, 300].map((value) => ({ value, name: `label ${value}` }));
  const settings: Partial<RunRecord> = {
    labels,
    orientation: 'PIR',
    // Of the scan, in that order of the axes from the last to the first.
    spacing: [0.8, 1.5, 0.9],
    normalisation: [{ kind: 'data_set', low: -40, high: 55.5, mean: 10, deviation: 21 }, { kind: 'z_score' }],
  };
  const [onnx, scan, found] = ['model.onnx', 'scan.nii.gz', 'found.nii.gz'].map((name) => join(root, name));
  // Of two channels, 0 at the edges, and noise in a part of it alone, where something is to be found.
  const random = createRandom(3);
  const shape = [31, 40, 37, 2];
  const data = Float32Array.from({ length: 31 * 40 * 37 * 2 }, (_, i) => {
    const [x, y, z] = [i % 31, Math.floor(i / 31) % 40, Math.floor(i / (31 * 40)) % 37];
    if (x <= 2 || y >= 36 || z === 0) return 0;
    return x < 15 && y > 20 && z < 20 ? 200 * random.uniform() - 100 : 7;
  });
  await writeStated(scan, { shape, data, affine: straight(0.8, 0.9, 1.5, -20) });
  const model = narrowModel({ ...macroChild, patch: { depth: 16, height: 16, width: 16 } }, settings);
  const { image, channels, shape: size } = prepareScan(clipOutliers(await readNifti(scan)).volume, model.run);
  const weights = modest(model.network, model.weights, toImage(image, [1, channels, ...size], 'cpu', 'float32'));
  const folder = await writeFinishedRun(root, { ...model, weights });
  await exportOnnx({ run: folder, out: onnx });

  run(programs[0], onnx, scan, found);
  const [{ output }] = await predict({
    run: folder,
    inputs: [scan],
    out: join(root, 'out'),
    device: 'cpu',
    precision: 'fp32',
  });
  const [ours, theirs] = [await readNifti(output), await readNifti(found)];
  expect(theirs.shape).toEqual(ours.shape);
  expect(theirs.affine).toEqual(ours.affine);
  const equal = Array.from(ours.data, (value, i) => value === theirs.data[i]).filter(Boolean).length;
  expect(equal / ours.data.length).toBeGreaterThanOrEqual(0.999);
  expect(new Set(ours.data).size).toBeGreaterThan(1);
  // The region of what was found was looked at again.
  const inOneLook = { ...model.run, recipe: { ...model.run.recipe, inference: paperRecipe.inference } };
  const [once] = await predict({
    run: await writeFinishedRun(root, { ...model, weights, run: inOneLook }),
    inputs: [scan],
    out: join(root, 'once'),
    device: 'cpu',
    precision: 'fp32',
  });
  expect((await readNifti(once.output)).data).not.toEqual(ours.data);
});

const checksOnnx = has('onnx');
it.skipIf(!checksOnnx).each([macroChild, microChild])("ONNX's own checker finds no fault: $space", async (child) => {
  const out = join(root, `${child.space}.onnx`);
  await exportOnnx({ run: await writeFinishedRun(root, narrowModel(child)), out });
  run('import onnx, sys; onnx.checker.check_model(sys.argv[1], full_check=True)', out);
});
