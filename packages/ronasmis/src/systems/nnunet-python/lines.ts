import { z } from 'zod';

/** What the Python program tells, a line of JSON each; seconds count from the run's start. */
const lineSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('started'), device: z.enum(['cpu', 'cuda']), threads: z.int() }),
  z.object({ event: z.literal('no_cuda') }),
  /** Fingerprint, plan and preprocessed cases are there. */
  z.object({ event: z.literal('prepared'), seconds: z.number() }),
  /** What is kept of the time for the test cases, which take so many passes of the network; a case's way to it and back is timed by itself. */
  z.object({
    event: z.literal('reserved'),
    seconds: z.number(),
    passes: z.int(),
    pass_seconds: z.number(),
    way_seconds: z.number(),
  }),
  /** Nothing is left to train in. */
  z.object({ event: z.literal('no_time'), seconds: z.number(), reserve: z.number() }),
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
    seconds: z.number(),
  }),
  z.object({
    event: z.literal('trained'),
    iterations: z.int(),
    iterations_per_epoch: z.int(),
    epochs: z.int(),
    step_seconds: z.number(),
    parameters: z.int(),
    seconds: z.number(),
  }),
  /** A segmented scan. */
  z.object({ event: z.literal('case'), name: z.string(), done: z.int(), total: z.int(), seconds: z.number() }),
  z.object({ event: z.literal('finished'), peak_memory_bytes: z.number(), seconds: z.number() }),
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
