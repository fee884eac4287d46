/**
 * Searching and training a network, studying whether the search is worth it, comparing systems, segmenting with what was found, scoring, exporting; and the interfaces of
 * controllers and search spaces, for one's own.
 *
 * @module ronasmis
 */
export type { Architecture, MacroArchitecture, MicroArchitecture } from './architecture/architecture.ts';
export type { NetworkDimensions } from './architecture/dimensions.ts';
export { UserError } from './base/errors.ts';
export type { Triple } from './base/geometry.ts';
export { createRandom, type Random, type RandomState } from './base/random.ts';
export { type CompareHooks, type CompareOptions, compare } from './compare/compare.ts';
export type {
  Choices,
  Controller,
  ControllerState,
  CreateController,
  Distribution,
  Outlook,
  RewardedChild,
} from './controller/controller.ts';
export type { ControllerName } from './controller/controllers.ts';
export { createController } from './controller/create.ts';
export { drawChild } from './controller/draw.ts';
export { writePhantomDataSet } from './data/phantom.ts';
export { type DownloadHooks, type DownloadProgress, download } from './download/download.ts';
export type { ComputeDevice, Precision } from './engine/device.ts';
export { type Evaluation, evaluate } from './evaluation/evaluate.ts';
export type { RankCorrelation } from './evaluation/rank-correlation.ts';
export type { ClassScores } from './evaluation/scores.ts';
export type { DiceSummary, Spread } from './evaluation/summary.ts';
export type { Agreement, Check } from './export/check.ts';
export { type ExportedNetwork, type ExportOptions, exportOnnx } from './export/export.ts';
export { type ExportedPage, type ExportWebOptions, exportWeb } from './export/web.ts';
export { loadModel, type Model } from './inference/model.ts';
export type { PredictionFormat, PredictOptions } from './inference/options.ts';
export {
  IncompletePrediction,
  type PredictHooks,
  type Prediction,
  predict,
} from './inference/predict.ts';
export type { Weights } from './network/weights.ts';
export type { Recipe } from './recipe/recipe.ts';
export type { CompareResults, FailedRun, SystemResult } from './run/compare-record.ts';
export type { Progress } from './run/progress.ts';
export type {
  ChildAlone,
  Comparison,
  ContestantResult,
  ContestRun,
  Contribution,
  RewardPoint,
  StudyResults,
} from './run/study-record.ts';
export type { OwnParts, SearchSettings, TrainingOptions } from './search/options.ts';
export { resume } from './search/resume.ts';
export { type SearchHooks, type SearchOptions, type SearchResult, search } from './search/search.ts';
export { trainArchitecture } from './search/train-architecture.ts';
export type { MemoryUse } from './search/watching.ts';
export type { SpaceName } from './space/names.ts';
export {
  admittedOptions,
  type Decision,
  type DecisionSpace,
  type SearchSpace,
  type SpaceLimits,
} from './space/space.ts';
export { type CreateSpace, createSpace } from './space/spaces.ts';
export { type StudyHooks, type StudyOptions, study } from './study/study.ts';
export { planInputsOf } from './systems/nnunet/fingerprint.ts';
export { type PlanOptions, planNnunet } from './systems/nnunet/plan.ts';
export type { NnunetDataset, NnunetFingerprint, PlanInputs } from './systems/nnunet/plan-inputs.ts';
export { readPlanInputs } from './systems/nnunet/plan-inputs.ts';
export type { Configuration, PlannedArchitecture, PlannedIntensities, Plans } from './systems/nnunet/plans.ts';
export { plansSchema } from './systems/nnunet/plans.ts';
export type { PresetName } from './systems/nnunet/presets.ts';
export type { System, SystemOptions, Traits } from './systems/system.ts';
export { systemCalled, systems } from './systems/systems.ts';
