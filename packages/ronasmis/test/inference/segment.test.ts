import {
  argmaxLabels,
  memory,
  noGradient,
  resampleArgmax,
  resampleSoftmax,
  scope,
  type Tensor,
  to,
} from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { meanOfMirrorings } from '../../src/inference/mirroring.ts';
import { addLook, partOf, regionsFound } from '../../src/inference/region.ts';
import { segment, segmentWithProbabilities } from '../../src/inference/segment.ts';
import { logitsInTiles } from '../../src/inference/sliding-window.ts';
import { within } from '../../src/inference/tiles.ts';
import { forward } from '../../src/network/forward.ts';
import type { Weights } from '../../src/network/weights.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { modest, patch, spotted, volume } from './modest.ts';
import { network, weights } from './tiny-run.ts';

const shape = [1, 1, 17, 20, 16] as const;
const size = shape.slice(2);
const random = createRandom(3);
const voxels = 17 * 20 * 16;
const values = Float32Array.from({ length: voxels }, () => 4 * random.uniform() - 2);
const image = toImage(values, shape, 'cpu', 'float32');

/** What the network says of each voxel of the image: a logit for each class, `[class][voxel]`. */
const logits = noGradient(() => scope(() => forward(network, weights, image)[0].toNumbers()));
const classes = logits.length / voxels;
const ofVoxel = (all: readonly number[], voxel: number): readonly number[] =>
  Array.from({ length: classes }, (_, index) => all[index * (all.length / classes) + voxel]);

/** A scan, and weights by which the network finds little in it. */
function spottedModel(): { readonly scan: Tensor; readonly few: Weights } {
  const scan = toImage(spotted(), [1, 1, ...volume], 'cpu', 'float32');
  return { scan, few: modest(network, weights, scan) };
}

describe('segment', () => {
  it('takes the class of the largest logit', () => {
    const found = segment(network, weights, image);
    expect([found.shape, found.dataType]).toEqual([[1, ...size], 'uint8']);
    const wanted = Array.from({ length: voxels }, (_, voxel) => {
      const said = ofVoxel(logits, voxel);
      return said.indexOf(Math.max(...said));
    });
    expect(found.toNumbers()).toEqual(wanted);
    expect(new Set(wanted).size).toBeGreaterThan(1);
    found.free();
  });

  it('of another size takes the class of the largest of the interpolated probabilities', () => {
    const other = [21, 13, 30];
    const { classes: found, probabilities } = segmentWithProbabilities(network, weights, image, { size: other });
    expect([found.shape, probabilities.shape]).toEqual([
      [1, ...other],
      [1, classes, ...other],
    ]);
    const shares = probabilities.toNumbers();
    const taken = found.toNumbers();
    expect(segment(network, weights, image, { size: other }).toNumbers()).toEqual(taken);
    taken.forEach((index, voxel) => {
      const said = ofVoxel(shares, voxel);
      expect(Math.max(...said) - said[index]).toBeLessThan(1e-6);
    });
  });

  it("by nnU-Net's inference takes the class of the largest logit, of mirrored windows, nearest across thick slices", () => {
    const tile = [8, 24, 16] as const;
    noGradient(() =>
      scope(() => {
        const once = (part: Tensor): Tensor => forward(network, weights, part)[0];
        const mirrored = (part: Tensor): Tensor => meanOfMirrorings(part, once);
        const windows = logitsInTiles(image, { tile, classes, tiling: nnunetRecipe.inference }, mirrored);
        const plan = { tile, inference: nnunetRecipe.inference };
        const here = segment(network, weights, image, plan).toNumbers();
        expect(here).toEqual(argmaxLabels(windows).toNumbers());
        expect(here).not.toEqual(segment(network, weights, image).toNumbers());
        for (const thickAxis of [undefined, 0] as const) {
          const other = { ...plan, size: [30, 21, 13], thickAxis };
          const how = { nearestAxis: thickAxis, interpolatesLogits: true };
          const found = segmentWithProbabilities(network, weights, image, other);
          expect(found.classes.toNumbers()).toEqual(resampleArgmax(windows, other.size, how).toNumbers());
          expect(found.probabilities.toNumbers()).toEqual(resampleSoftmax(windows, other.size, how).toNumbers());
        }
        // Probabilities are interpolated across slices too.
        const inference = { ...nnunetRecipe.inference, interpolated: 'probabilities' } as const;
        const found = segment(network, weights, image, { ...plan, inference, size: [30, 21, 13], thickAxis: 0 });
        expect(found.toNumbers()).toEqual(resampleArgmax(windows, [30, 21, 13]).toNumbers());
      }),
    );
  });

  it('mirrors a whole volume as well', () => {
    noGradient(() =>
      scope(() => {
        const inference = { ...defaultRecipe.inference, mirroring: true };
        const mean = meanOfMirrorings(image, (part) => forward(network, weights, part)[0]);
        expect(segment(network, weights, image, { inference }).toNumbers()).toEqual(argmaxLabels(mean).toNumbers());
      }),
    );
  });

  it('looks again at the region of what it found, and takes the mean of both looks there', () => {
    scope(() => {
      const { scan, few } = spottedModel();
      const once = (part: Tensor): Tensor => noGradient(() => forward(network, few, part)[0]);
      const first = once(scan);
      const [found] = regionsFound(first, patch);
      const wanted = to(first, { copy: true });
      addLook(wanted, found, once(partOf(scan, found)));
      const said = segment(network, few, scan, { region: patch });
      expect(said.toNumbers()).toEqual(argmaxLabels(wanted).toNumbers());
      expect(said.toNumbers()).not.toEqual(segment(network, few, scan).toNumbers());
      // In tiles, where memory does not suffice, no larger than the region.
      const tile = [24, 16, 16] as const;
      const { inference } = defaultRecipe;
      const tiled = (part: Tensor, through: Triple): Tensor =>
        logitsInTiles(part, { tile: through, classes, tiling: inference }, once);
      const firstInTiles = tiled(scan, tile);
      const [again] = regionsFound(firstInTiles, patch);
      addLook(firstInTiles, again, tiled(partOf(scan, again), within(again.shape, tile)));
      expect(segment(network, few, scan, { region: patch, tile, inference }).toNumbers()).toEqual(
        argmaxLabels(firstInTiles).toNumbers(),
      );
    });
  });

  it('leaves no tensor but its result', () => {
    const before = memory().tensors;
    segment(network, weights, image).free();
    scope(() => {
      const { scan, few } = spottedModel();
      const held = memory().tensors;
      segment(network, few, scan, { region: patch }).free();
      expect(memory().tensors).toBe(held);
    });
    segment(network, weights, image, { tile: [8, 24, 16], inference: nnunetRecipe.inference }).free();
    expect(memory().tensors).toBe(before);
  });
});

describe('segmentWithProbabilities', () => {
  it('gives the softmax of the logits', () => {
    const { probabilities } = segmentWithProbabilities(network, weights, image, {});
    const found = probabilities.toNumbers();
    for (let voxel = 0; voxel < voxels; voxel += 7) {
      const powers = ofVoxel(logits, voxel).map(Math.exp);
      const sum = powers.reduce((total, power) => total + power, 0);
      ofVoxel(found, voxel).forEach((share, index) => {
        expect(share).toBeCloseTo(powers[index] / sum, 5);
      });
    }
  });
});
