import { memory, noGradient, scope } from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { segment, segmentWithProbabilities } from '../../src/inference/segment.ts';
import { forward } from '../../src/network/forward.ts';
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

  it('leaves no tensor but its result', () => {
    const before = memory().tensors;
    segment(network, weights, image).free();
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
