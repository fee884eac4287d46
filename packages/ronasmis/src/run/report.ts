import { z } from 'zod';
import { diceSummarySchema } from '../evaluation/summary.ts';
import { withOldNames } from './renamed.ts';

const gainSchema = z.object({
  /** Of what was found, and of the base child. */
  found: z.number(),
  base: z.number(),
  /** In what they differ, in words, and the Dice of what was found without it, null where time was short; none where the base child itself was found. */
  differences: z.array(z.object({ what: z.string(), without: z.number().nullable() })).readonly(),
});
/** What a search has gained. */
export type Gain = z.infer<typeof gainSchema>;

/** `report.json`: what the search left. */
export const reportSchema = withOldNames(
  z.object({
    /** At the data set's spacing, as the rewards. */
    validation_dice: diceSummarySchema,
    /** On the scans' own grids. */
    test_dice: diceSummarySchema,
    seconds: z.number(),
    /** Of `seconds`, those after the last step in which children were evaluated and the test cases segmented. */
    evaluation_seconds: z.number(),
    peak_memory_bytes: z.number(),
    parameters: z.int(),
    /** Class indices whose small components are removed; older reports have none. */
    cleaned_classes: z.array(z.int().positive()).readonly().default([]),
    /** What a search has gained over the base child, in validation Dice by the weights that all share. */
    gain: gainSchema.optional(),
  }),
);
/** What a search left, in figures. */
export type SearchReport = z.infer<typeof reportSchema>;
