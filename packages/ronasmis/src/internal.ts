/**
 * What this repository's benchmarks measure and the package does not promise: parts of a training step, of a search and of what they print. It
 * changes without notice; nobody else is to import it.
 */
export { networkDimensions } from './architecture/dimensions.ts';
export { mapConcurrently } from './base/concurrency.ts';
export { voxelsOf } from './base/geometry.ts';
export { type Batch, openBatches } from './batches/batches.ts';
export { samplePlan } from './batches/sample.ts';
export { table } from './cli/output.ts';
export { type ComputeDevice, chooseDevice, dataTypeOf } from './engine/device.ts';
export { choosePrecision } from './engine/precision.ts';
export { toImage } from './engine/to-device.ts';
export { segment } from './inference/segment.ts';

export { costOf } from './network/cost.ts';
export { composedLoss, fusedLoss } from './network/loss.ts';
export { networkOf } from './network/of-architecture.ts';
export { elementCount } from './network/parameters.ts';
export { createWeights, networkWeights, trainedWeights, weight } from './network/weights.ts';
export { freePort } from './ranks/free-port.ts';
export { rankOf } from './ranks/launcher.ts';
export { alone } from './ranks/team.ts';
export { teamOf } from './ranks/team-of.ts';
export { defaultRecipe } from './recipe/recipe.ts';
export { formatDice, plural } from './report/format.ts';
export { type Html, html } from './report/html.ts';
export { batchShape } from './search/batch-shape.ts';
export type { SearchContext } from './search/context.ts';
export { freeBatches, toDeviceBatches } from './search/device-batches.ts';
export { evaluate } from './search/evaluating.ts';
export { withDefaults } from './search/options.ts';
export { openSearch } from './search/setup.ts';
export { createSearchState } from './search/state.ts';
export { macroSpace } from './space/macro.ts';
export { type TrainingBatch, trainStep } from './training/step.ts';
export type { Trainer } from './training/trainer.ts';
