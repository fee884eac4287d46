import { z } from 'zod';
import type { RankCorrelation } from '../evaluation/rank-correlation.ts';
import type { Spread } from '../evaluation/summary.ts';
import { runSchema } from './records.ts';

const { settings, engine } = runSchema.shape;

/** `study.json`: what a study was told, what it runs on and what its searches used; `results` once it has ended. */
export const studySchema = z.object({
  version: z.string(),
  /** ISO 8601 time at which the study was begun. */
  created: z.string(),
  /** All that its searches have in common. */
  settings: settings.pick({
    data_set: true,
    label_folder: true,
    time_seconds: true,
    epochs: true,
    children: true,
    memory_bytes: true,
    folds: true,
    fold: true,
    device: true,
    precision: true,
  }),
  /** What `auto` came to: the same for every search, whichever process runs it. */
  engine: engine.pick({ device: true, precision: true }),
  /** By run, joules that were used while it ran; null where the machine does not tell or a kill left them unknown. */
  joules: z.record(z.string(), z.number().nullable()),
  results: z.unknown().optional(),
});
export type StudyRecord = z.infer<typeof studySchema>;

/** One search of a contestant. Dice are fractions, of the network that the search chose. */
export interface ContestRun {
  readonly run: string;
  readonly seed: number;
  readonly test_dice: number;
  readonly validation_dice: number;
  readonly seconds: number;
  /** Of `seconds`: shared weights trained, and children judged or test cases segmented. */
  readonly training_seconds: number;
  readonly judging_seconds: number;
  readonly joules: number | null;
  readonly controller_steps: number;
}

/** The best reward of the step that was finished last, over the seeds; only where every seed has one. */
export interface RewardPoint {
  readonly seconds: number;
  readonly mean: number;
  readonly lowest: number;
  readonly highest: number;
}

/** What the searches of a contestant come to: one for each seed. */
export interface ContestantResult {
  readonly name: string;
  readonly test_dice: Spread;
  readonly runs: readonly ContestRun[];
  readonly best_reward: readonly RewardPoint[];
}

/** `reinforce` less another contestant, in test Dice. */
export interface Comparison {
  readonly other: string;
  readonly difference: number;
  /** Of the difference, from its values by seed (Student's t, 95 %); null for a single seed. */
  readonly interval: { readonly low: number; readonly high: number } | null;
  /** Of Wilcoxon's signed rank test over the test cases, each a mean over the seeds; and after Holm's correction. */
  readonly p: number;
  readonly p_holm: number;
}

/** A child's reward among shared weights, and its Dice after it was trained alone. */
export interface ChildAlone {
  readonly run: string;
  readonly reward: number;
  readonly validation_dice: number;
  readonly test_dice: number;
}

/** A choice at one place: by option, the mean reward of the children that have it, less the mean of their step. */
export interface Contribution {
  readonly choice: string;
  readonly options: readonly {
    readonly value: string;
    readonly children: number;
    readonly mean: number;
    readonly standard_error: number;
  }[];
}

/** What a study found. */
export interface StudyResults {
  readonly seeds: number;
  readonly test_cases: number;
  readonly contestants: readonly ContestantResult[];
  readonly comparisons: readonly Comparison[];
  readonly alone: {
    readonly children: readonly ChildAlone[];
    /** Kendall's tau-b of the reward with the Dice alone; null where there is no order. */
    readonly with_validation: RankCorrelation | null;
    readonly with_test: RankCorrelation | null;
  };
  /** Those that differ most beyond their errors first. */
  readonly contributions: readonly Contribution[];
}
