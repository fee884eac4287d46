// Dice, HD95 and NSD of a case, here and by MONAI: `node benchmarks/evaluate.mjs LABELS` after `npm run build`, with a folder of label maps
// (.nii.gz, classes 1 and 2). Each is compared with itself moved by a few voxels. RONASMIS_PEERS names a Python that has monai and nibabel.
// The two take turns, so that a change of the machine's clock meets both; one thread each.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setThreads } from '@ronasmis/libtorch';
import { readNifti } from '../packages/ronasmis/dist/data/nifti.js';
import { scoreClasses } from '../packages/ronasmis/dist/evaluation/scores.js';

const rounds = 5;
const most = 60; // cases
const tolerance = 1; // millimetres

const python = `
import json, sys, time, warnings
warnings.filterwarnings('ignore')
import nibabel, numpy, torch
from monai.metrics import compute_dice, compute_hausdorff_distance, compute_surface_dice
torch.set_num_threads(1)
def masks(labels): return torch.from_numpy(numpy.stack([labels == c for c in (0, 1, 2)])[None]).float()
def score(prediction, reference, spacing):
    a, b = masks(prediction), masks(reference)
    dice = compute_dice(a, b, include_background=False)
    hd95 = compute_hausdorff_distance(a, b, percentile=95, spacing=spacing)
    nsd = compute_surface_dice(a, b, [${tolerance}.0] * 2, spacing=spacing)
    return torch.stack([dice[0], hd95[0], nsd[0]], 1).tolist()
times, scores = [], []
for turn in range(2):
    for file in sys.argv[1:]:
        image = nibabel.load(file)
        reference = numpy.ascontiguousarray(numpy.asarray(image.dataobj).T)
        depth, height, width = reference.shape
        prediction = numpy.roll(reference.ravel(), height * width + 2 * width + 1).reshape(reference.shape)
        spacing = [float(size) for size in image.header.get_zooms()[::-1]]
        start = time.perf_counter()
        scored = score(prediction, reference, spacing)
        if turn == 1:
            times.append(1000 * (time.perf_counter() - start))
            scores.append(scored)
print(json.dumps({'times': times, 'scores': scores}))
`;

async function readCase(file) {
  const { data: reference, shape, spacing } = await readNifti(file);
  const [width, height] = shape;
  const offset = height * width + 2 * width + 1;
  const prediction = reference.map((_, voxel) => reference[(voxel - offset + reference.length) % reference.length]);
  return { prediction, reference, shape: shape.toReversed(), spacing: spacing.toReversed() };
}

const files = readdirSync(process.argv[2])
  .filter((name) => name.endsWith('.nii.gz') && !name.startsWith('.'))
  .slice(0, most)
  .map((name) => join(process.argv[2], name));
const cases = await Promise.all(files.map(readCase));

/** Milliseconds of each case, and its scores by class. */
function ours() {
  const times = [];
  const scores = cases.map(({ prediction, reference, shape, spacing }) => {
    const start = performance.now();
    const classes = scoreClasses(prediction, reference, shape, spacing, tolerance);
    times.push(performance.now() - start);
    return ['1', '2'].map((label) => classes.get(label)).map(({ dice, hd95_mm, nsd }) => [dice, hd95_mm, nsd]);
  });
  return { times, scores };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

setThreads(1);
const peer = process.env.RONASMIS_PEERS;
const here = [];
const there = [];
let apart = 0;
for (let i = 0; i < 5; i += 1) ours();
for (let round = 0; round < rounds; round += 1) {
  const { times, scores } = ours();
  here.push(...times);
  if (!peer) continue;
  const found = JSON.parse(execFileSync(peer, ['-c', python, ...files], { encoding: 'utf8' }));
  there.push(...found.times);
  const theirs = found.scores.flat(2);
  apart = scores.flat(2).reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), apart);
}
console.log(`${files.length} cases, median of ${rounds} rounds: ${median(here).toFixed(2)} ms a case here`);
if (peer) {
  console.log(`${median(there).toFixed(2)} ms by MONAI; ratio ${(median(there) / median(here)).toFixed(1)}`);
  console.log(`The largest difference of a score is ${apart.toExponential(1)}.`);
} else console.log('MONAI was left out: RONASMIS_PEERS names no Python.');
