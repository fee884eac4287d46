import { z } from 'zod';
import { diceSummarySchema } from '../evaluation/summary.ts';
import { withOldNames } from './renamed.ts';

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
  }),
);
/** What a search left, in figures. */
export type SearchReport = z.infer<typeof reportSchema>;
