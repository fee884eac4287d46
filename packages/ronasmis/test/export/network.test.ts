import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import { compare, loadRuntime } from '../../src/export/check.ts';
import { encodeOnnx } from '../../src/export/model.ts';
import type { Model } from '../../src/inference/model.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { createWeights } from '../../src/network/weights.ts';
import { recordDimensions } from '../../src/run/run-record.ts';
import { microReference, narrow, reference } from '../network/peer.ts';
import { references, withWeights } from '../network/unet-reference.ts';
import { randomChildren } from '../space/walk.ts';
import { macroChild, narrowModel } from './models.ts';

const runtime = await loadRuntime();

/** Compares a child on images `[batch, channel, depth, height, width]` of each shape, by one and the same file. */
async function expectAgreement(child: ChildArchitecture, ...shapes: readonly (readonly number[])[]): Promise<void> {
  await expectModelAgreement(narrowModel(child), ...shapes);
}

async function expectModelAgreement(model: Model, ...shapes: readonly (readonly number[])[]): Promise<void> {
  const onnx = encodeOnnx(model);
  // Runtimes of browsers refuse poolings that round up, and transposed convolutions of three dimensions.
  for (const refused of ['ceil_mode', 'ConvTranspose']) expect(Buffer.from(onnx).includes(refused)).toBe(false);
  for (const shape of shapes) {
    const { largestDifference, largestLogit, equalLabels } = await compare(runtime, onnx, model, shape);
    expect(largestLogit).toBeGreaterThan(0.1);
    expect(largestDifference / largestLogit).toBeLessThan(1e-4);
    expect(equalLabels).toBeGreaterThanOrEqual(0.999);
  }
}

describe('ONNX Runtime computes what the network here computes', () => {
  // Volumes leave every level more than one voxel along each axis: the norm of a few voxels enlarges whatever was rounded. Always the same
  // children, for a cell can be such a case by itself.
  const extent = fc.integer({ min: 9, max: 14 }).map((half) => 2 * half + 1);
  test.each(['macro', 'micro'] as const)('for random children of the %s space, on odd volumes', async (space) => {
    const children = randomChildren(space, [40, 40, 40], narrow);
    await fc.assert(
      fc.asyncProperty(children, fc.tuple(extent, extent, extent), (child, volume) =>
        expectAgreement(child, [1, narrow.inputChannels, ...volume]),
      ),
      { numRuns: 8, seed: 1 },
    );
  });

  const children = [...Object.entries(reference.children), ...Object.entries(microReference.children)];
  test.each(children)('for several images at once and for another volume: %s', async (_name, { child }) => {
    await expectAgreement(child, [2, 2, 20, 33, 24], [1, 2, 33, 18, 27]);
  });

  test.each(children)('where kernels do not reach across thick slices: %s', async (_name, { child }) => {
    await expectModelAgreement(narrowModel(child, {}, { ...narrow, flatLevels: 2 }), [1, 2, 20, 33, 24]);
  });

  test('for blocks of one and three convolutions, with shortcuts', async () => {
    const { encoder, decoder, ...rest } = reference.children['the base'].child;
    const child = {
      ...rest,
      encoder: encoder.map((level, at) => ({ ...level, convolutions: at % 2 === 0 ? 3 : 1, residual: true }) as const),
      decoder: decoder.map((level) => ({ ...level, convolutions: 1, residual: true }) as const),
    };
    const network = networkOf(child, narrow);
    const weights = createWeights(network.parameters, 'cpu', 1);
    const { run } = narrowModel(macroChild);
    const record = { ...run, network: recordDimensions(narrow) };
    const model = { architecture: child, network, weights, run: record, cleaned: [] };
    await expectModelAgreement(model, [2, 2, 20, 33, 24]);
  });

  test('for a child with a coarse one beside it', async () => {
    const { child } = reference.children['skips from finer and coarser levels, of odd volumes'];
    const network = { ...reference.children['the base'].child, patch: child.patch };
    const architecture = { ...child, coarse: { downsampling: [1, 2, 2], network, fine_share: 0.25 } } as const;
    const joined = networkOf(architecture, narrow);
    const model = { ...narrowModel(child), architecture, network: joined };
    const weights = createWeights(joined.parameters, 'cpu', 1);
    await expectModelAgreement({ ...model, weights }, [2, 2, 20, 33, 24], [1, 2, 21, 35, 19]);
  });

  test('for a single slice and a single voxel', async () => {
    const { child } = reference.children['the base'];
    await expectAgreement(child, [1, 2, 1, 19, 23], [1, 2, 1, 1, 1]);
  });

  test.each(Object.entries(references))(
    'for U-Nets, of sizes that their strides divide or not: %s',
    async (_name, { architecture }) => {
      const { run } = narrowModel(macroChild);
      await expectModelAgreement(
        { ...withWeights(architecture), architecture, run, cleaned: [] },
        [2, 2, 8, 32, 24],
        [1, 2, 9, 21, 19],
      );
    },
  );
});
