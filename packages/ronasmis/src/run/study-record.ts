import { z } from 'zod';
import { withOldNames } from './renamed.ts';
import { seriesFields, seriesSettings } from './series-record.ts';

const spreadSchema = z.object({ count: z.int(), mean: z.number(), deviation: z.number() });
const correlationSchema = z.object({ tau: z.number(), p: z.number() }).nullable();

/** One search of a contestant. Dice are fractions, of the network that the search chose. */
const contestRunSchema = withOldNames(
  z.object({
    run: z.string(),
    seed: z.int(),
    /** Folders from before there could be several do not say it. */
    fold: z.int().optional(),
    test_dice: z.number(),
    validation_dice: z.number(),
    seconds: z.number(),
    /** Of `seconds`: shared weights trained, and children evaluated or test cases segmented. */
    training_seconds: z.number(),
    evaluation_seconds: z.number(),
    joules: z.number().nullable(),
    controller_steps: z.int(),
  }),
);

/** The best reward of the step that was finished last, over the seeds; only where every seed has one. */
const rewardPointSchema = z.object({ seconds: z.number(), mean: z.number(), lowest: z.number(), highest: z.number() });

/** What the searches of a contestant come to: one for each seed. */
const contestantSchema = z.object({
  name: z.string(),
  test_dice: spreadSchema,
  runs: z.array(contestRunSchema).readonly(),
  best_reward: z.array(rewardPointSchema).readonly(),
});

/** One contestant less another, in test Dice. */
export const comparisonSchema = z.object({
  other: z.string(),
  difference: z.number(),
  /** Of the difference, from its values by seed, or by fold and seed (Student's t, 95 %); null for a single one. */
  interval: z.object({ low: z.number(), high: z.number() }).nullable(),
  /** Of Wilcoxon's signed rank test over the test cases, each a mean over the seeds; and after Holm's correction. */
  p: z.number(),
  p_holm: z.number(),
});

/** A child's reward among shared weights, and its Dice after it was trained alone. */
const childAloneSchema = z.object({
  run: z.string(),
  reward: z.number(),
  validation_dice: z.number(),
  test_dice: z.number(),
});

/** A choice at one place: by option, the mean reward of the children that have it, less the mean of their step. */
const contributionSchema = z.object({
  choice: z.string(),
  options: z
    .array(z.object({ value: z.string(), children: z.int(), mean: z.number(), standard_error: z.number() }))
    .readonly(),
});

/** What a study found. */
export const studyResultsSchema = z.object({
  seeds: z.int(),
  test_cases: z.int(),
  contestants: z.array(contestantSchema).readonly(),
  comparisons: z.array(comparisonSchema).readonly(),
  alone: z.object({
    children: z.array(childAloneSchema).readonly(),
    /** Kendall's tau-b of the reward with the Dice alone; null where there is no order. */
    with_validation: correlationSchema,
    with_test: correlationSchema,
  }),
  /** Those that differ most beyond their errors first. */
  contributions: z.array(contributionSchema).readonly(),
});

/** What a study found. */
export type StudyResults = z.infer<typeof studyResultsSchema>;
/** One search of a contestant. */
export type ContestRun = z.infer<typeof contestRunSchema>;
/** The best reward at one moment, over the seeds. */
export type RewardPoint = z.infer<typeof rewardPointSchema>;
/** What the searches of a contestant come to. */
export type ContestantResult = z.infer<typeof contestantSchema>;
/** One contestant less another, in test Dice. */
export type Comparison = z.infer<typeof comparisonSchema>;
/** A child's reward among shared weights, and its Dice after it was trained alone. */
export type ChildAlone = z.infer<typeof childAloneSchema>;
/** What a choice at one place contributes to the reward. */
export type Contribution = z.infer<typeof contributionSchema>;

/** `study.json`: what a study was told, what it runs on and what its searches used; `results` once it has ended. */
export const studySchema = z.object({
  ...seriesFields,
  /** All that its searches have in common. */
  settings: seriesSettings.extend({
    children: z.int(),
    /** Null where each fold is the test set in turn. */
    fold: z.int().nullable(),
    /** Folders from before there was a choice do not say it. */
    side_by_side: z.int().positive().default(1),
  }),
  /** Missing until the study has ended, and where another version wrote them: they can be made again. */
  results: studyResultsSchema.optional().catch(undefined),
});
/** `study.json`: what a study was told, and what it found. */
export type StudyRecord = z.infer<typeof studySchema>;
