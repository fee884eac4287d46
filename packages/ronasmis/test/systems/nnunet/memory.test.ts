import { expect, test } from 'vitest';
import { architectureOf } from '../../../src/systems/nnunet/architecture.ts';
import { featureMapValues } from '../../../src/systems/nnunet/memory.ts';

const [one, two] = [
  [1, 1, 1],
  [2, 2, 2],
];
const cube = [3, 3, 3];

test('the values of feature maps are as many as nnU-Net counts', () => {
  // dynamic_network_architectures 0.4: PlainConvUNet(1, 4, [32, 64, 128, 256], Conv3d, kernels, strides, [2] * 4, 3, [2] * 3).compute_conv_feature_map_size(patch)
  const patch = [20, 40, 48];
  const plain = architectureOf(
    { patch, strides: [one, [1, 2, 2], two, two], kernels: [[1, 3, 3], cube, cube, cube] },
    'plain',
  );
  expect(featureMapValues(plain, patch, 3)).toBe(10_176_000);
  // ResidualEncoderUNet(2, 5, [32, 64, 128, 256, 512], Conv2d, 3, strides, [1, 3, 4, 6, 6], 4, [1] * 4)
  const strides = [
    [1, 1],
    [2, 2],
    [2, 2],
    [2, 2],
    [2, 1],
  ];
  const slices = architectureOf({ patch: [64, 96], strides, kernels: strides.map(() => [3, 3]) }, 'residual');
  expect(featureMapValues(slices, [64, 96], 4)).toBe(3_121_152);
  // ResidualEncoderUNet(1, 6, [32, 64, 128, 256, 320, 320], Conv3d, 3, strides, [1, 3, 4, 6, 6, 6], 3, [1] * 5)
  const deep = architectureOf(
    { patch: [128, 128, 128], strides: [one, two, two, two, two, two], kernels: Array.from({ length: 6 }, () => cube) },
    'residual',
  );
  expect(featureMapValues(deep, [128, 128, 128], 3)).toBe(557_420_544);
});
