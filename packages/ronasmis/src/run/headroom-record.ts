import { z } from 'zod';
import { seriesFields, seriesSettings } from './series-record.ts';
import { comparisonSchema } from './study-record.ts';

const headroomRunSchema = z.object({
  run: z.string(),
  seed: z.int(),
  /** Fractions; 0 where there is nothing to score. */
  test_dice: z.number(),
  validation_dice: z.number(),
  training_steps: z.int(),
  seconds: z.number(),
});

const variantResultSchema = z.object({
  name: z.string(),
  /** The change in words. */
  what: z.string(),
  runs: z.array(headroomRunSchema).readonly(),
  /** The variant less the base, in test Dice; null where none of its runs has ended. */
  gain: comparisonSchema.omit({ other: true }).nullable(),
  /** Why it has no runs, in a sentence; null where nothing is wrong. */
  problem: z.string().nullable(),
});

/** What a study of the headroom found. */
export const headroomResultsSchema = z.object({
  seeds: z.int(),
  test_cases: z.int(),
  base: z.object({
    runs: z.array(headroomRunSchema).readonly(),
    mean: z.number(),
    /** Between the seeds; 0 for a single one. */
    deviation: z.number(),
  }),
  /** Those that gain most first; what could not be run last. */
  variants: z.array(variantResultSchema).readonly(),
});

/** What a study of the headroom found. */
export type HeadroomResults = z.infer<typeof headroomResultsSchema>;
/** A change, and what it is worth. */
export type VariantResult = z.infer<typeof variantResultSchema>;

/** `headroom.json`: what changes of the base network were tried, and what each is worth; `results` once the study has ended. */
export const headroomSchema = z.object({
  ...seriesFields,
  /** All that its runs have in common. Variants and seeds are none of them: more of each extend a study. */
  settings: seriesSettings.extend({
    fold: z.int(),
    side_by_side: z.int().positive(),
    /** In what the base's recipe differs from the default one, in words; left out where it does not. */
    recipe: z.string().optional(),
  }),
  /** By variant, why it could not be run. */
  problems: z.record(z.string(), z.string()),
  results: headroomResultsSchema.optional().catch(undefined),
});
/** `headroom.json`. */
export type HeadroomRecord = z.infer<typeof headroomSchema>;
