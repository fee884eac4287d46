import { native } from './native.ts';
import { type DataType, type Device, refusePromise } from './tensor.ts';

/** Runs `body` without recording what gradients would need: less memory, less time. Throws where `body` returns a Promise. */
export function noGradient<Result>(body: () => Result): Result {
  const before = native.setGradientMode(false);
  try {
    return refusePromise(body());
  } finally {
    native.setGradientMode(before);
  }
}

/**
 * Runs `body` with libtorch's automatic mixed precision: convolutions and matrix products in `dataType`, sums and losses in
 * float32, as PyTorch's documentation of torch.amp lists them. Weights are cast once and kept until the outermost
 * `body` ends. Throws where `body` returns a Promise.
 */
export function autocast<Result>(device: Device, dataType: DataType, body: () => Result): Result {
  const before = native.enterAutocast(device, dataType);
  try {
    return refusePromise(body());
  } finally {
    native.leaveAutocast(device, before);
  }
}

/** The threads that one operation is shared among. */
export function threads(): number {
  return native.threads();
}

export function setThreads(count: number): void {
  native.setThreads(count);
}

/** Seeds libtorch's own generators of random numbers, of all devices, with a whole number from 0 to 2^53. */
export function manualSeed(seed: number): void {
  native.seed(seed);
}
