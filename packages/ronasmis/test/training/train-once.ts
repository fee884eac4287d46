import { scope } from '@ronasmis/libtorch';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import type { RunContext } from '../../src/search/context.ts';
import type { TrainingState } from '../../src/search/state.ts';
import { type TrainingBatch, trainStep } from '../../src/training/step.ts';

/** One training step at the first learning rate; gives its loss. */
export function trainOnce(
  { dimensions }: RunContext,
  { trainer, random }: TrainingState,
  child: ChildArchitecture,
  batch: TrainingBatch,
): number {
  const update = { learningRate: trainer.recipe.learning_rate, random };
  return scope(() => trainStep(trainer, networkOf(child, dimensions), batch, update).item());
}
