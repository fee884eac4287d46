import { expect, test } from 'vitest';
import { childDimensions, flatLevelsFor, kernelDepth, networkDimensions } from '../../src/architecture/dimensions.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { macroSpace } from '../../src/space/macro.ts';

test('five levels, whose width doubles up to 128', () => {
  expect(networkDimensions(4, 3)).toEqual({
    inputChannels: 4,
    classes: 3,
    channels: [16, 32, 64, 128, 128],
    flatLevels: 0,
  });
});

test('a width of its own, in the same proportions', () => {
  expect(networkDimensions(1, 2, 3, { width: 4 })).toEqual({
    inputChannels: 1,
    classes: 2,
    channels: [4, 8, 16, 32, 32],
    flatLevels: 3,
  });
});

// What nnU-Net 2.6's get_pool_and_conv_props gives for patches that are large enough.
test.each([
  { spacing: [1, 1, 1], levels: 0 },
  { spacing: [1, 2, 2], levels: 0 },
  { spacing: [1.9, 1, 1], levels: 0 },
  { spacing: [2, 1, 1], levels: 1 },
  { spacing: [3.6, 0.62, 0.62], levels: 2 },
  { spacing: [8, 1.37, 1.4], levels: 2 },
  { spacing: [10, 0.5, 0.5], levels: 4 },
] as const)('kernels of $levels levels are flat where voxels have $spacing mm', ({ spacing, levels }) => {
  expect(flatLevelsFor(spacing)).toBe(levels);
});

test('kernels of flat levels are one plane deep, whatever their size, and others as deep as they are wide', () => {
  const depths = [0, 1, 2].map((level) => [1, 3].map((edge) => kernelDepth({ flatLevels: 2 }, level, edge)));
  expect(depths).toEqual([
    [1, 1],
    [1, 1],
    [1, 3],
  ]);
});

test('a child that says its own width and flat levels is a network of these', () => {
  const dimensions = networkDimensions(1, 2, 1, { width: 16 });
  const { base } = macroSpace([16, 64, 64], dimensions);
  expect(childDimensions(base, dimensions)).toEqual(dimensions);
  expect(childDimensions({ ...base, width: 24, flat_levels: 0 }, dimensions)).toEqual(
    networkDimensions(1, 2, 0, { width: 24 }),
  );
  const parametersOf = (...of: Parameters<typeof networkOf>) => networkOf(...of).parameters;
  expect(parametersOf({ ...base, width: 24, flat_levels: 3 }, dimensions)).toEqual(
    parametersOf(base, networkDimensions(1, 2, 3, { width: 24 })),
  );
});
