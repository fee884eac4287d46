/**
 * How good label maps are: Dice, 95th percentile of the Hausdorff distance (HD95) and normalised surface distance (NSD), of folders of files or of
 * arrays; tables of them; and tests that compare paired scores.
 *
 * @module ronasmis/evaluation
 */
export { UserError } from '../base/errors.ts';
export { dicePerClass } from './dice.ts';
export { type Evaluation, evaluate, toCsv } from './evaluate.ts';
export type { Labels } from './overlap.ts';
export { holm, meanInterval, signedRankTest } from './paired-tests.ts';
export { kendallTau, type RankCorrelation } from './rank-correlation.ts';
export { type ClassScores, scoreClasses } from './scores.ts';
export {
  type CaseScores,
  caseMean,
  type DiceSummary,
  diceSummarySchema,
  patientMean,
  type Spread,
  spreadOf,
  summariseDice,
} from './summary.ts';
export { type SurfaceGrid, type SurfaceScores, surfaceScores } from './surface.ts';
