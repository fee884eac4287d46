import { scope } from '@ronasmis/libtorch';
import type { Architecture } from '../../src/architecture/architecture.ts';
import { childNetwork } from '../../src/network/child.ts';
import type { RunContext } from '../../src/search/context.ts';
import type { TrainingState } from '../../src/search/state.ts';
import { type TrainingBatch, trainStep } from '../../src/training/step.ts';

/** One training step at the first learning rate; gives its loss. */
export function trainOnce(
  { dimensions }: RunContext,
  { trainer, random }: TrainingState,
  child: Architecture,
  batch: TrainingBatch,
): number {
  const update = { learningRate: trainer.recipe.learning_rate, random };
  return scope(() => trainStep(trainer, childNetwork(child, dimensions), batch, update).item());
}
