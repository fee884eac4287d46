import { describe, expect, test } from 'vitest';
import { networkDimensions } from '../../src/network/dimensions.ts';
import { activationsPerVoxel, multiplyAddsPerVoxel, relativeVolumes } from '../../src/space/cost.ts';
import { reference } from '../network/peer.ts';

const dimensions = networkDimensions(1, 3);

describe.each(Object.entries(reference.children))('%s', (name, { child }) => {
  test("multiply-adds are those that PyTorch's FlopCounterMode counts, without the heads", () => {
    expect(multiplyAddsPerVoxel(child, dimensions)).toBeCloseTo(reference.multiply_adds[name], 6);
  });
});

test('each pooling divides the voxels of the levels below by its strides', () => {
  const { child } = reference.children['anisotropic, without skips'];
  expect(relativeVolumes(child)).toEqual([1, 1 / 4, 1 / 16, 1 / 32, 1 / 128]);
});

test('activations are the outputs of all 3x3x3 convolutions', () => {
  const { child } = reference.children['the base'];
  const expected = 4 * (16 + 32 / 8 + 64 / 8 ** 2 + 128 / 8 ** 3) + 2 * (128 / 8 ** 4);
  expect(activationsPerVoxel(child, dimensions)).toBeCloseTo(expected, 10);
});
