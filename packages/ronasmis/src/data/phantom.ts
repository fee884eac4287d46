import { join } from 'node:path';
import { makeFolder, writeAtomically } from '../base/files.ts';
import type { Triple } from '../base/geometry.ts';
import { createRandom, normal, type Random } from '../base/random.ts';
import { writeNifti } from '../formats/nifti.ts';

/** Millimetres between voxels along `[depth, height, width]`: thick slices, as many scans have. */
const SPACING: Triple = [2.5, 1, 1];
const LABELS = { 0: 'background', 1: 'shell', 2: 'anterior core', 3: 'posterior core' };
/** Cases that are made at the same time. */
const SIMULTANEOUS = 4;

/**
 * Writes a synthetic data set in the layout of the Medical Segmentation Decathlon, the same for the same seed. Each case is a
 * body with an organ of three parts: a shell that is bright in channel 0, and a core whose anterior part is bright in channel
 * 1 while its posterior part looks like the body around it, known by its place alone. Blobs elsewhere look like shell or
 * core. Position, size, tilt and contrast vary, under a smooth bias field and noise: no threshold finds the parts.
 * @throws UserError where the folder cannot be written to.
 */
export async function writePhantomDataSet(
  folder: string,
  { cases, seed }: { cases: number; seed: number },
): Promise<void> {
  await Promise.all(['imagesTr', 'labelsTr'].map((name) => makeFolder(join(folder, name))));
  const names = Array.from({ length: cases }, (_, index) => `phantom_${String(index + 1).padStart(3, '0')}`);
  const random = createRandom(seed);
  for (let start = 0; start < cases; start += SIMULTANEOUS) {
    const group = names.slice(start, start + SIMULTANEOUS).map((name) => ({ name, ...drawPhantom(random) }));
    await Promise.all(
      group.map(async ({ name, shape, image, label }) => {
        await writeNifti(join(folder, 'imagesTr', `${name}.nii.gz`), {
          shape,
          channels: 2,
          data: image,
          affine: AFFINE,
        });
        await writeNifti(join(folder, 'labelsTr', `${name}.nii.gz`), {
          shape,
          data: label,
          affine: AFFINE,
        });
      }),
    );
  }
  const description = {
    name: 'Phantom',
    description: 'Synthetic scans of an organ with a shell and a core of two parts',
    modality: { 0: 'shell-weighted', 1: 'core-weighted' },
    labels: LABELS,
    numTraining: cases,
    training: names.map((name) => ({ image: `./imagesTr/${name}.nii.gz`, label: `./labelsTr/${name}.nii.gz` })),
  };
  await writeAtomically(join(folder, 'dataset.json'), Buffer.from(`${JSON.stringify(description, null, 2)}\n`));
}

const AFFINE = [
  [SPACING[2], 0, 0, 0],
  [0, SPACING[1], 0, 0],
  [0, 0, SPACING[0], 0],
  [0, 0, 0, 1],
] as const;

interface Phantom {
  /** `[depth, height, width]` */
  readonly shape: Triple;
  /** `[2, depth, height, width]` */
  readonly image: Int16Array;
  readonly label: Uint8Array;
}

/** An ellipsoid: where a point lies, 0 at the centre and 1 on the surface. Arguments in millimetres: depth, height, width. */
type Ellipsoid = (z: number, y: number, x: number) => number;

const between = (random: Random, low: number, high: number): number => low + (high - low) * random.uniform();

function drawPhantom(random: Random): Phantom {
  const shape: Triple = [22 + random.integer(5), 36 + random.integer(9), 36 + random.integer(9)];
  const size: Triple = [shape[0] * SPACING[0], shape[1], shape[2]];
  const body = ellipsoid([size[0] / 2, size[1] / 2, size[2] / 2], [size[0] * 0.6, size[1] * 0.5, size[2] * 0.5], 0);
  const centre: Triple = [
    size[0] / 2 + between(random, -6, 6),
    size[1] / 2 + between(random, -4, 4),
    size[2] / 2 + between(random, -4, 4),
  ];
  const radii: Triple = [between(random, 17, 23), between(random, 10, 13), between(random, 10, 13)];
  const organ = ellipsoid(centre, radii, between(random, -0.4, 0.4));
  const border = between(random, -1.5, 1.5);
  const slope = between(random, -0.15, 0.15);
  const partAt = (z: number, y: number, x: number): number => {
    const radius = organ(z, y, x);
    if (radius > 1) return 0;
    if (radius > 0.68) return 1;
    return y - centre[1] > border + slope * (z - centre[0]) ? 2 : 3;
  };
  const decoys = Array.from({ length: 5 }, () => ({
    looksLike: 1 + random.integer(2),
    covers: ellipsoid(
      [between(random, 0, size[0]), between(random, 0, size[1]), between(random, 0, size[2])],
      [between(random, 5, 10), between(random, 3, 6), between(random, 3, 6)],
      0,
    ),
  }));
  const looksAt = (z: number, y: number, x: number, part: number): number =>
    part === 0 ? (decoys.find(({ covers }) => covers(z, y, x) < 1)?.looksLike ?? 0) : part;
  return paint(random, shape, { body, partAt, looksAt });
}

function ellipsoid(centre: Triple, radii: Triple, tilt: number): Ellipsoid {
  const [cosine, sine] = [Math.cos(tilt), Math.sin(tilt)];
  return (z, y, x) => {
    const [dz, dy, dx] = [z - centre[0], y - centre[1], x - centre[2]];
    return Math.hypot(dz / radii[0], (cosine * dy - sine * dx) / radii[1], (sine * dy + cosine * dx) / radii[2]);
  };
}

/** What a phantom is made of. Arguments in millimetres: depth, height, width. */
interface Anatomy {
  readonly body: Ellipsoid;
  /** The label there; 0 for the background. */
  readonly partAt: (z: number, y: number, x: number) => number;
  /** Whose contrast there is, given its label. */
  readonly looksAt: (z: number, y: number, x: number, part: number) => number;
}

function paint(random: Random, shape: Triple, { body, partAt, looksAt }: Anatomy): Phantom {
  const [depth, height, width] = shape;
  const voxels = depth * height * width;
  const image = new Int16Array(2 * voxels);
  const label = new Uint8Array(voxels);
  const channels = [0, 1].map((channel) => ({
    tissue: between(random, 300, 500),
    contrast: between(random, 0.3, 0.5),
    brightPart: channel + 1,
    bias: shape.map((length) => biasAlong(random, length)),
  }));
  for (let voxel = 0; voxel < voxels; voxel++) {
    const [k, j, i] = [Math.floor(voxel / (height * width)), Math.floor(voxel / width) % height, voxel % width];
    const [z, y, x] = [(k + 0.5) * SPACING[0], (j + 0.5) * SPACING[1], (i + 0.5) * SPACING[2]];
    if (body(z, y, x) > 1) continue;
    const part = partAt(z, y, x);
    const look = looksAt(z, y, x, part);
    label[voxel] = part;
    channels.forEach(({ tissue, contrast, brightPart, bias }, channel) => {
      const signal = 1 + (look === brightPart ? contrast : 0);
      const field = bias[0][k] * bias[1][j] * bias[2][i];
      image[channel * voxels + voxel] = Math.max(1, tissue * (signal * field + NOISE * normal(random)));
    });
  }
  return { shape, image, label };
}

/** Standard deviation of the noise, as a fraction of the tissue's intensity. */
const NOISE = 0.15;

/** One axis of the bias field: a wave of up to one and a half bends, within a fifth of 1. */
function biasAlong(random: Random, length: number): readonly number[] {
  const [height, bends, phase] = [between(random, 0, 0.2), between(random, 0.5, 1.5), between(random, 0, Math.PI)];
  return Array.from({ length }, (_, index) => 1 + height * Math.cos((bends * Math.PI * index) / length + phase));
}
