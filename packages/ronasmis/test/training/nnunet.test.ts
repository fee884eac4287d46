import { scope, tensor } from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { networkLoss } from '../../src/network/loss.ts';
import { unetNetwork } from '../../src/network/unet.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { trainStep } from '../../src/training/step.ts';
import { learningRateAt } from '../../src/training/train.ts';
import { createTrainer } from '../../src/training/trainer.ts';
import { chirp, expectDigest } from '../chirp.ts';
import { scan, withWeights } from '../network/unet-reference.ts';
import { batchOf, nnunet } from './nnunet.ts';

/** nnU-Net takes Dice from 0, ours from 1. */
const offset = 1;

describe.each(nnunet.losses)('the loss of a U-Net, Dice over the batch: $batch_dice', (expected) => {
  const { architecture, batch_dice: batchDice } = expected;
  const { supervised } = unetNetwork(architecture, scan);

  it("has nnU-Net's weights of the levels", () => {
    expect(supervised).toHaveLength(expected.weights.length);
    supervised.forEach(({ weight }, level) => {
      expect(weight).toBeCloseTo(expected.weights[level], 12);
    });
  });

  it("is nnU-Net's, and so are the gradients, for labels that are downsampled as it does", () => {
    const { label, plan } = batchOf(architecture, 0);
    const sizeOf = (stride: readonly number[]) => plan.patch.map((extent, axis) => extent / stride[axis]);
    const logits = supervised.map(({ stride }, level) =>
      chirp([architecture.batch, scan.classes, ...sizeOf(stride)], level, (value) => 3 * value),
    );
    for (const level of logits) level.requiresGradient = true;
    scope(() => {
      const found = networkLoss({ supervised }, logits, tensor(label, [architecture.batch, ...plan.patch]), {
        batchDice,
      });
      expect(found.item() - offset).toBeCloseTo(expected.loss, 5);
      found.backward();
      logits.forEach(({ gradient }, level) => {
        if (!gradient) throw new Error(`Level ${level} has no gradient.`);
        expectDigest(gradient, expected.gradients[level], 1e-4);
      });
    });
  });
});

describe.each(Object.entries(nnunet.trainings))("nnU-Net's recipe trains a U-Net %s", (_name, expected) => {
  const { architecture, batch_dice } = expected;
  const epochs = expected.rates.length;

  it("at the rates of nnU-Net's schedule", () => {
    expected.rates.forEach((rate, epoch) => {
      expect(learningRateAt(nnunetRecipe.training, epoch / epochs)).toBeCloseTo(rate, 12);
    });
  });

  it("to the losses of nnU-Net's own trainer, step by step", () => {
    const { network, weights } = withWeights(architecture);
    const recipe = { ...nnunetRecipe.training, batch_dice };
    const trainer = createTrainer(weights, { device: 'cpu', precision: 'fp32', hasIgnored: false, recipe });
    const random = createRandom(1);
    const losses = expected.losses.map((_, step) => {
      const epoch = Math.floor((step * epochs) / expected.losses.length);
      const update = { learningRate: learningRateAt(recipe, epoch / epochs), random };
      return scope(() => trainStep(trainer, network, batchOf(architecture, step), update).item()) - offset;
    });
    const differences = losses.map((loss, step) => Math.abs(loss - expected.losses[step]));
    // What is rounded otherwise grows with the steps: in float64, PyTorch's own losses are up to 1.4e-4 from these.
    expect(Math.max(...differences.slice(0, 5))).toBeLessThan(1e-4);
    expect(Math.max(...differences)).toBeLessThan(1e-3);
  });
});
