import { describe, expect, test } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { costOf } from '../../src/network/cost.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { microReference, reference } from './peer.ts';

const dimensions = networkDimensions(1, 3);
const costOfChild = (child: ChildArchitecture) => costOf(networkOf(child, dimensions));

describe.each([
  { space: 'macro', ...reference },
  { space: 'micro', ...microReference },
])('children of the $space space', ({ children, multiply_adds }) => {
  test.each(Object.entries(children))(
    "%s: multiply-adds are those that PyTorch's FlopCounterMode counts, without the heads",
    (name, { child }) => {
      expect(costOfChild(child).multiplyAdds).toBeCloseTo(multiply_adds[name], 6);
    },
  );
});

test('each pooling divides the voxels of the levels below by its strides', () => {
  const { child } = reference.children['anisotropic, without skips'];
  const [first, second, third, fourth, fifth] = [1, 1 / 4, 1 / 16, 1 / 32, 1 / 128];
  const expected = 4 * (16 * first + 32 * second + 64 * third + 128 * fourth) + 2 * 128 * fifth;
  expect(costOfChild(child).activations).toBeCloseTo(expected, 10);
});

test('activations of a cell are its input and the outputs of its convolutions; a max pooling has indices of twice the size', () => {
  const { child } = microReference.children['every operation, of odd volumes'];
  const levels = 2 * (16 + 32 / 8 + 64 / 32 + 128 / 256) + 128 / 1024;
  // Four convolutions (dilated, 1x1x1, 3x3x3, 1x1x1), a max pooling, an identity.
  expect(costOfChild(child).activations).toBeCloseTo((1 + 4 + 2) * levels, 10);
});

test('activations are the outputs of all 3x3x3 convolutions', () => {
  const { child } = reference.children['the base'];
  const expected = 4 * (16 + 32 / 8 + 64 / 8 ** 2 + 128 / 8 ** 3) + 2 * (128 / 8 ** 4);
  expect(costOfChild(child).activations).toBeCloseTo(expected, 10);
});
