import { describeEngine, noGradient, scope, type Tensor, to } from '@ronasmis/libtorch';
import { describe, expect, it, test } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { patchOf } from '../../src/architecture/patch.ts';
import { voxelsOf } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { drawChild } from '../../src/controller/draw.ts';
import type { Precision } from '../../src/engine/device.ts';
import { toImage, toLabel } from '../../src/engine/to-device.ts';
import { forward } from '../../src/network/forward.ts';
import { networkLoss } from '../../src/network/loss.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import type { Weights } from '../../src/network/weights.ts';
import { batchShape } from '../../src/search/batch-shape.ts';
import { createSearchState } from '../../src/search/state.ts';
import { createSpace } from '../../src/space/spaces.ts';
import { chirpValues, expectDigest, product } from '../chirp.ts';
import { evaluatedMemory, trainedMemory } from '../network/pass-memory.ts';
import { chirpLabel, chirpWeights, microReference, narrow, reference } from '../network/peer.ts';
import { tinyContext } from '../search/tiny-context.ts';
import { trainOnce } from '../training/train-once.ts';

/** Products of NVIDIA's tensor cores have 10 bits after the point, in float32 too (TF32): a thousandth each. */
const tolerance = { logits: 5e-3, loss: 5e-3, gradients: 3e-2 } as const;
const precisions: readonly Precision[] = ['fp32', 'bf16', 'fp16'];

function onGpu(weights: Weights): Weights {
  return new Map(
    Array.from(weights, ([name, weight]) => {
      const copy = noGradient(() => to(weight, { dataType: 'float32', device: 'cuda', copy: true }));
      copy.requiresGradient = true;
      return [name, copy];
    }),
  );
}

const onCpu = (tensor: Tensor): Tensor => to(tensor, { dataType: 'float32', device: 'cpu' });

describe.skipIf(!describeEngine().cuda.loaded)('on an NVIDIA GPU (skipped where libtorch finds none)', () => {
  describe.each([
    ...Object.entries(reference.children).map(([name, expected]) => [`${name} (macro)`, expected] as const),
    ...Object.entries(microReference.children).map(([name, expected]) => [`${name} (micro)`, expected] as const),
  ])('%s', (_name, { child, size, logits, loss, gradients }) => {
    test('logits, loss and gradients are those of the same network in PyTorch', () => {
      const network = networkOf(child, narrow);
      scope(() => {
        const weights = onGpu(chirpWeights(narrow, child.space));
        const image = toImage(Float32Array.from(chirpValues(product(size), 1)), size, 'cuda', 'float32');
        const found = forward(network, weights, image, { deepSupervision: true });
        found.forEach((level, i) => {
          expectDigest(onCpu(level), logits[i], tolerance.logits);
        });
        const shape = [size[0], ...size.slice(2)];
        const foundLoss = networkLoss(network, found, toLabel(chirpLabel(product(shape), 3, 3), shape, 'cuda'));
        expect(Math.abs(foundLoss.item() / loss - 1)).toBeLessThan(tolerance.loss);
        foundLoss.backward();
        for (const [name, expected] of Object.entries(gradients)) {
          const gradient = weights.get(name)?.gradient;
          if (!gradient) throw new Error(`${name} has no gradient.`);
          expectDigest(onCpu(gradient), expected, tolerance.gradients);
        }
      });
    });
  });

  const dimensions = networkDimensions(2, 3, 0);
  const size = [32, 64, 48] as const;

  function open(device: 'cpu' | 'cuda', precision: Precision) {
    const space = createSpace('macro', size, dimensions);
    const context = {
      ...tinyContext,
      device,
      precision,
      dimensions,
      batchVoxels: voxelsOf(patchOf(space.base)),
      space,
    };
    return { context, state: createSearchState(context, 'random', 1) };
  }

  function trainingBatch({ context }: ReturnType<typeof open>, child: ChildArchitecture) {
    const { patch, patches } = batchShape(context, child);
    const voxels = patches * voxelsOf(patch);
    const crops = Array.from({ length: patches }, () => ({ case: 0, offset: [0, 0, 0] as const, flip: [] }));
    const image = Float32Array.from(chirpValues(2 * voxels, 1));
    return { image, label: chirpLabel(voxels, 3, 2), plan: { patch, crops } };
  }

  it.each(precisions)('a network learns in %s as a processor teaches it in float32', (precision) => {
    const losses = (
      [
        ['cpu', 'fp32'],
        ['cuda', precision],
      ] as const
    ).map(([device, chosen]) => {
      const opened = open(device, chosen);
      const { base } = opened.context.space;
      const batch = trainingBatch(opened, base);
      return Array.from({ length: 5 }, () => trainOnce(opened.context, opened.state, base, batch));
    });
    const [processor, gpu] = losses;
    expect(gpu[4]).toBeLessThan(gpu[0]);
    for (const [step, value] of gpu.entries()) expect(Math.abs(value / processor[step] - 1)).toBeLessThan(0.05);
  });

  it.each(precisions)('a child takes at most the memory that is predicted, and most of it, in %s', (precision) => {
    const opened = open('cuda', precision);
    const { space } = opened.context;
    const random = createRandom(11);
    const drawn = Array.from({ length: 3 }, () => space.decode(drawChild(space, 0, random)));
    const ratios = [space.base, space.largest, ...drawn].flatMap((child) => {
      // In the first pass, what the GPU's libraries keep is made.
      evaluatedMemory(opened, child, size);
      const passes = [trainedMemory(opened, child), evaluatedMemory(opened, child, size)];
      return passes.map(({ predicted, measured }) => predicted / measured);
    });
    expect(Math.min(...ratios)).toBeGreaterThan(0.9);
    expect(Math.max(...ratios)).toBeLessThan(1.5);
  });
});
