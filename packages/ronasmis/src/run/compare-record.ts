import { z } from 'zod';
import { seriesFields, seriesSettings } from './series-record.ts';
import { comparisonSchema } from './study-record.ts';

/** What a class of a case scores; Dice and NSD are fractions, null where they are undefined. */
const scoresSchema = z.object({
  dice: z.number().nullable(),
  hd95_mm: z.number().nullable(),
  nsd: z.number().nullable(),
  prediction_mm3: z.number(),
  reference_mm3: z.number(),
  false_positive_mm3: z.number(),
});

const placeFields = { system: z.string(), fold: z.int(), seed: z.int() };

const scoredRunSchema = z.object({
  state: z.literal('finished'),
  ...placeFields,
  /** Run folder of another task that the system was given, if it was. */
  from: z.string().optional(),
  /** From the start of the training to its report, reading and preparing the scans included. */
  training_seconds: z.number(),
  /** Of all test cases together, from files to files. */
  prediction_seconds: z.number(),
  /** While it was trained; null where that is not known, as of another process or outside Linux. */
  peak_memory_bytes: z.number().nullable(),
  parameters: z.int(),
  /** Of each test case, scores by class: a label's value, or a region's name. */
  cases: z.record(z.string(), z.record(z.string(), scoresSchema)),
});

const failedRunSchema = z.object({
  state: z.literal('failed'),
  ...placeFields,
  /** A sentence that says what is wrong, and the fix; of a defect, what the error said. */
  message: z.string(),
  /** Whether it is a defect of the system, whose stack is in the run folder's `failure.log`. */
  is_defect: z.boolean(),
});

/** How a system trains and predicts, as the paper's Table 2 has it. */
const traitsSchema = z.object({
  augmentation: z.string().nullable(),
  ensemble: z.boolean(),
  test_time_augmentation: z.boolean(),
  post_processing: z.boolean(),
  inference: z.string(),
});

/** One run in the figures that a table has; Dice and NSD are fractions, means over the cases. */
const runFiguresSchema = z.object({
  run: z.string(),
  fold: z.int(),
  seed: z.int(),
  /** 0 where there is nothing to score. */
  dice: z.number(),
  classes: z.record(z.string(), z.number()),
  hd95_mm: z.number().nullable(),
  nsd: z.number().nullable(),
  training_seconds: z.number(),
  prediction_seconds_per_case: z.number(),
  peak_memory_bytes: z.number().nullable(),
  parameters: z.int(),
  joules: z.number().nullable(),
});

const systemResultSchema = z.object({
  name: z.string(),
  title: z.string(),
  traits: traitsSchema,
  runs: z.array(runFiguresSchema).readonly(),
  failures: z.array(z.object({ run: z.string(), message: z.string(), is_defect: z.boolean() })).readonly(),
  /** Means over the runs; null without any. */
  figures: runFiguresSchema.omit({ run: true, fold: true, seed: true }).nullable(),
  /** Standard deviation of the Dice between the seeds of a fold, all folds taken together; null for single seeds. */
  seed_deviation: z.number().nullable(),
  /** Standard deviation of the Dice between the folds, each a mean over its seeds; null for a single fold. */
  fold_deviation: z.number().nullable(),
  /** Structures, of all cases and runs, that have no HD95, for they are in the reference or in the prediction alone. */
  without_distance: z.int(),
});

/** What a comparison found. */
export const compareResultsSchema = z.object({
  /** How far off a surface may be to count as right in NSD. */
  tolerance_mm: z.number(),
  /** Of all folds that were compared. */
  test_cases: z.int(),
  folds: z.array(z.int()).readonly(),
  seeds: z.int(),
  /** By the keys of scores: how a class is called. */
  class_names: z.record(z.string(), z.string()),
  systems: z.array(systemResultSchema).readonly(),
  /** The system that the others are compared with: the first that has finished a run; null without any. */
  reference: z.string().nullable(),
  /** The reference less each other one. */
  comparisons: z.array(comparisonSchema).readonly(),
});

/** What a comparison found. */
export type CompareResults = z.infer<typeof compareResultsSchema>;
/** The figures of a system. */
export type SystemResult = z.infer<typeof systemResultSchema>;
/** A run that was trained, has segmented the test cases, and was scored. */
export type ScoredRun = z.infer<typeof scoredRunSchema>;
/** A run that could not be. */
export type FailedRun = z.infer<typeof failedRunSchema>;

/** `compare.json`: what a comparison was told, what it runs on, and what came of each run; `results` once it has ended. */
export const compareSchema = z.object({
  ...seriesFields,
  /** All that its runs have in common. Systems, seeds and folds are none of them: more of each extend a comparison. */
  settings: seriesSettings,
  /** What it was begun on, in words: the GPU, or the processor and its threads. */
  hardware: z.string(),
  /** By run, what came of it; of those that have ended. */
  runs: z.record(z.string(), z.discriminatedUnion('state', [scoredRunSchema, failedRunSchema])),
  /** Missing until the comparison has ended, and where another version wrote them: they can be made again. */
  results: compareResultsSchema.optional().catch(undefined),
});
/** `compare.json`: what a comparison was told, and what it found. */
export type CompareRecord = z.infer<typeof compareSchema>;
