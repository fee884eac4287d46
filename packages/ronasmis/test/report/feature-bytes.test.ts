import { expect, it } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { voxelsOf } from '../../src/base/geometry.ts';
import { sum } from '../../src/base/statistics.ts';
import { childNetwork } from '../../src/network/child.ts';
import { costOf } from '../../src/network/cost.ts';
import { featureBytes } from '../../src/report/feature-bytes.ts';
import { ARCHITECTURE } from './content.ts';

const dimensions = networkDimensions(1, 3);

it('adds up to what the cost of the whole network counts', () => {
  const { depth, height, width } = ARCHITECTURE.patch;
  const levels = featureBytes(ARCHITECTURE, dimensions, 2) ?? [];
  expect(levels).toHaveLength(5);
  const kept = sum(levels.flatMap(({ encoder, decoder }) => [encoder, decoder]));
  const { activations } = costOf(childNetwork(ARCHITECTURE, dimensions));
  expect(kept).toBeCloseTo(2 * activations * voxelsOf([depth, height, width]), 0);
});

it('has two convolutions of 16 channels at the full resolution, on either way', () => {
  const { depth, height, width } = ARCHITECTURE.patch;
  const [{ encoder, decoder }] = featureBytes(ARCHITECTURE, dimensions, 4) ?? [];
  expect([encoder, decoder]).toEqual(Array.from({ length: 2 }, () => 4 * 2 * 16 * depth * height * width));
});
