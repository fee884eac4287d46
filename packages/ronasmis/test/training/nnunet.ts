import { readFileSync } from 'node:fs';
import type { UNet } from '../../src/architecture/unet.ts';
import type { Triple } from '../../src/base/geometry.ts';
import { chirpValues, type Digest } from '../chirp.ts';

interface Supervised {
  readonly architecture: UNet;
  readonly batch_dice: boolean;
}

interface TrainingReference extends Supervised {
  /** Of each of five epochs. */
  readonly rates: readonly number[];
  /** Of each of ten steps of each epoch. */
  readonly losses: readonly number[];
}

interface LossReference extends Supervised {
  /** Of the levels that have any, the finest first. */
  readonly weights: readonly number[];
  readonly loss: number;
  /** Of the logits of these levels. */
  readonly gradients: readonly Digest[];
}

/** Values of nnU-Net's own trainer, written by reference/nnunet-training.py, which says what they are. */
export const nnunet: {
  readonly trainings: Readonly<Record<string, TrainingReference>>;
  readonly losses: readonly LossReference[];
} = JSON.parse(readFileSync(new URL('../reference/nnunet-training.json', import.meta.url), 'utf8'));

/** The batch of a step as the reference makes it: image `[batch, channel, depth, height, width]`, label `[batch, depth, height, width]`. */
export function batchOf({ patch, batch }: UNet, step: number) {
  const size: Triple = [patch.depth, patch.height, patch.width];
  const labels = Array.from({ length: batch }, (_, image) => labelOf(size, step, image));
  const shown = labels.flatMap((label) => contrasts.map((contrast) => Array.from(label, (value) => contrast[value])));
  const noise = chirpValues(shown.length * labels[0].length, step);
  const image = Float32Array.from(shown.flat(), (value, i) => value + 0.5 * noise[i]);
  const crop = { case: 0, offset: [0, 0, 0], flip: [] } as const;
  const label = Uint8Array.from(labels.flatMap((one) => [...one]));
  return { image, label, plan: { patch: size, crops: Array<typeof crop>(batch).fill(crop) } };
}

/** How a channel shows the background, class 1 and class 2. */
const contrasts = [
  [0, 1, -1],
  [0, 0.5, 0.5],
];

/** A ball of class 1 elsewhere in each image of each step, with a core of class 2 in the first image alone. */
function labelOf([depth, height, width]: Triple, step: number, image: number): Uint8Array {
  const [atDepth, atHeight, atWidth] = [depth, height, width].map(
    (extent, axis) => 2 + (((axis + 3) * (5 * step + 2 * image + 1)) % (extent - 4)),
  );
  return Uint8Array.from({ length: depth * height * width }, (_, i) => {
    const [z, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    const distance = (z - atDepth) ** 2 + (y - atHeight) ** 2 + (x - atWidth) ** 2;
    if (distance >= 36) return 0;
    return image === 0 && distance < 9 ? 2 : 1;
  });
}
