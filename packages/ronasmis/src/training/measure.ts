import { scope } from '@ronasmis/libtorch';
import { voxelsOf } from '../base/geometry.ts';
import { type BatchPlan, filledShape } from '../batches/fill-batch.ts';
import type { Network } from '../network/network.ts';
import { trainStep } from './step.ts';
import type { Trainer } from './trainer.ts';

/**
 * Seconds of a training step on an empty batch, without a change to the weights. Run on the most demanding network first, memory hardly
 * grows afterwards.
 */
export function measureStep(trainer: Trainer, network: Network, plan: BatchPlan, inputChannels: number): number {
  const voxels = plan.crops.length * voxelsOf(filledShape(plan));
  const batch = { image: new Float32Array(voxels * inputChannels), label: new Uint8Array(voxels), plan };
  const started = performance.now();
  scope(() => trainStep(trainer, network, batch).item());
  return (performance.now() - started) / 1000;
}
