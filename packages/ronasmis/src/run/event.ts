import { z } from 'zod';
import { architectureSchema } from '../architecture/architecture.ts';
import { withOldNames } from './renamed.ts';

/** A line of `events.jsonl`: one finished controller step. Rewards are Dice, `seconds` counts from the search's start. */
export const eventSchema = withOldNames(
  z.object({
    step: z.int(),
    seconds: z.number(),
    /** Null where nothing is evaluated, for all cases but the test cases are trained on. */
    reward_mean: z.number().nullable(),
    reward_max: z.number().nullable(),
    /** Of the base child, by the weights that all share; null where nothing is chosen, and in runs from before it was evaluated. */
    reward_base: z.number().nullable().default(null),
    /** Moving average of the rewards that the children were compared with; null where the controller has none. */
    baseline: z.number().nullable(),
    /** Entropy of what the children were drawn from, nats; null where the controller has no distribution. */
    entropy: z.number().nullable(),
    /** Mean training loss of the shared weights since the step before. */
    loss: z.number(),
    /** Training steps of the shared weights so far. */
    steps: z.int(),
    peak_memory_bytes: z.number(),
    /** Whether volumes were downsampled: rewards are Dice at half the resolution then. */
    coarse: z.boolean().default(false),
    /** Whether training patches were augmented, beyond being mirrored. */
    augmented: z.boolean().default(false),
    /** Training steps and evaluations of this step that were left out, for memory did not suffice. */
    out_of_memory: z.int().default(0),
    /** Of this step, seconds in which the shared weights were trained and in which its children were evaluated. */
    training_seconds: z.number(),
    evaluation_seconds: z.number(),
    children: z
      .array(
        z.object({
          architecture: architectureSchema,
          reward: z.number(),
          /** That its evaluation took; missing where memory did not suffice, and in older run folders. */
          seconds: z.number().optional(),
          /** That a search of it alone takes at most, as counted; older run folders do not say it. */
          memory_bytes: z.number().optional(),
        }),
      )
      .readonly(),
    /** Dice of the step's best child by case and class, null where neither prediction nor label has the class; older run folders do not say it. */
    best_scores: z.record(z.string(), z.record(z.string(), z.number().nullable())).optional(),
    /**
     * How likely each option of each choice was when the children were drawn, as a mean over them; missing where the controller has no
     * distribution, and in older run folders.
     */
    policy: z
      .array(z.object({ choice: z.string(), probabilities: z.record(z.string(), z.number()) }))
      .readonly()
      .optional(),
  }),
);
/** One finished controller step. */
export type SearchEvent = z.infer<typeof eventSchema>;
