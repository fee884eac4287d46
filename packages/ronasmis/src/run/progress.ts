import { z } from 'zod';

const phaseSchema = z.enum(['prepare', 'race', 'train', 'evaluate', 'final']);

/** How far a search has come; `done` of `total` count within the phase. */
export type Progress = {
  readonly phase: z.infer<typeof phaseSchema>;
  /** Controller step, from 1. */
  readonly step: number;
  readonly done: number;
  readonly total: number;
  /** Mean of the step's children. */
  readonly reward?: number;
  /** Null where the controller has none. */
  readonly entropy?: number | null;
  /** Of the step's best child. */
  readonly dice?: number;
  /** Of the base child, by the same weights. */
  readonly baseDice?: number;
  readonly loss?: number;
  /** Whether reward and Dices are those at half the resolution. */
  readonly coarse?: boolean;
  readonly secondsLeft?: number;
};

/**
 * `progress.json`: how far a search has come that is running. It is written while a process works in the run folder, and removed when that
 * stops in good order; what a kill leaves behind is told by its age.
 */
export const progressSchema = z.object({
  /** ISO 8601 time at which it was written. */
  time: z.string(),
  phase: phaseSchema,
  step: z.int(),
  done: z.int(),
  total: z.int(),
  /** Until the report; null where that is not known. */
  seconds_left: z.number().nullable(),
});
/** How far a running search has come, as its folder says it. */
export type RunProgress = z.infer<typeof progressSchema>;
