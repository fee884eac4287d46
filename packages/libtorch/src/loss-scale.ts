import {
  addScalar,
  clamp,
  divide,
  finite,
  full,
  multiply,
  multiplyScalar,
  negate,
  to,
  updateLossScale,
  zeros,
} from './operations.ts';
import { type Device, keep, type Tensor } from './tensor.ts';

/** What a loss is multiplied by before its gradients are taken, and how many steps in a row it has served for. */
export interface LossScale {
  /** float32 scalar. */
  readonly scale: Tensor;
  /** int32 scalar. */
  readonly goodSteps: Tensor;
}

/** What the scale means for one step; float32 scalars. */
export interface ScaledStep {
  /** What the gradients are to be divided by. */
  readonly divisor: Tensor;
  /** 1 where a gradient is no finite number, so that the step has to be left out, else 0. */
  readonly overflow: Tensor;
}

// As torch.amp.GradScaler has them.
const firstScale = 65536;
const growth = 2;
const backoff = 0.5;
const stepsUntilGrowth = 2000;

/**
 * Dynamic loss scaling (Micikevicius et al. 2018, "Mixed precision training", section 3.2), as torch.amp.GradScaler does it: the
 * small gradients of float16 would vanish, so the loss is multiplied, by half as much after every step whose gradients
 * overflowed, and by twice as much after 2,000 steps that went well. Nothing waits for the device.
 */
export function createLossScale(device: Device): LossScale {
  return keep(() => ({
    scale: full([], firstScale, { dataType: 'float32', device }),
    goodSteps: zeros([], { dataType: 'int32', device }),
  }));
}

/**
 * @param norm of the gradients of the scaled loss, a float32 scalar
 * @param largestNorm that the gradients are to have when they are divided; infinite for any
 */
export function scaledStep({ scale }: LossScale, norm: Tensor, largestNorm: number): ScaledStep {
  const clipping = clamp(multiplyScalar(divide(norm, scale), 1 / largestNorm), { min: 1 });
  return {
    divisor: multiply(scale, clipping),
    overflow: addScalar(negate(to(finite(norm), { dataType: 'float32' })), 1),
  };
}

/** Corrects the scale after a step. */
export function updateScale({ scale, goodSteps }: LossScale, overflow: Tensor): void {
  updateLossScale(scale, goodSteps, overflow, growth, backoff, stepsUntilGrowth);
}
