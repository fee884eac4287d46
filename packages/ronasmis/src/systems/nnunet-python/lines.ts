import { z } from 'zod';

/** What the Python program tells, a line of JSON each; seconds count from the run's start. */
const lineSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('started'), device: z.enum(['cpu', 'cuda']), threads: z.int() }),
  z.object({ event: z.literal('no_cuda') }),
  /** Fingerprint, plan and preprocessed cases are there. */
  z.object({ event: z.literal('prepared'), seconds: z.number() }),
  /** Nothing is left to train in. */
  z.object({ event: z.literal('no_time'), seconds: z.number() }),
  /** A training step: `done` of `total` in the epoch, which counts from 0. */
  z.object({ event: z.literal('step'), epoch: z.int(), done: z.int(), total: z.int(), loss: z.number().nullable() }),
  /** A finished epoch: `epoch` of `total`, from 1. */
  z.object({
    event: z.literal('epoch'),
    epoch: z.int(),
    total: z.int(),
    iterations: z.int(),
    learning_rate: z.number(),
    loss: z.number().nullable(),
    step_seconds: z.number(),
    epoch_seconds: z.number(),
    peak_memory_bytes: z.number(),
    seconds: z.number(),
  }),
  /** What was learnt is written. */
  z.object({
    event: z.literal('trained'),
    iterations: z.int(),
    iterations_per_epoch: z.int(),
    epochs: z.int(),
    step_seconds: z.number(),
    parameters: z.int(),
    peak_memory_bytes: z.number(),
    seconds: z.number(),
  }),
  /** A segmented scan. */
  z.object({ event: z.literal('case'), name: z.string(), done: z.int(), total: z.int() }),
  /** All scans are segmented; the seconds are those of all, before a kill too. */
  z.object({ event: z.literal('finished'), prediction_seconds: z.number() }),
]);
export type DriverLine = z.infer<typeof lineSchema>;
/** A line of one kind. */
export type LineOf<Event extends DriverLine['event']> = Extract<DriverLine, { readonly event: Event }>;

/** The line that a text says; undefined for one that something else has printed. Python writes NaN, which JSON does not know, as such. */
export function parseLine(text: string): DriverLine | undefined {
  try {
    return lineSchema.parse(JSON.parse(text.replaceAll(/: -?(NaN|Infinity)\b/g, ': null')));
  } catch {
    return undefined;
  }
}
