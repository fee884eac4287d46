import { z } from 'zod';

/** Something about a data set that keeps it from being used (error) or is worth a look (warning). */
export const problemSchema = z
  .object({
    severity: z.enum(['error', 'warning']),
    /** The folder of the data set, where it is about several cases. */
    file: z.string(),
    /** A whole sentence that begins with the file and ends with the fix. */
    message: z.string(),
    /** Where several cases have the same: each of them, those that have it most first. */
    cases: z
      .array(z.object({ file: z.string(), what: z.string() }))
      .readonly()
      .optional(),
  })
  .readonly();
/** Something about a data set that keeps it from being used (error) or is worth a look (warning). */
export type Problem = z.infer<typeof problemSchema>;

/** What a warning about one case has in common with those about others: many of one kind are one line. */
export interface Kind {
  /** What is said of several cases together, behind their number; the same text makes them one kind. */
  readonly several: string;
  /** That of the case that has it most is said. */
  readonly fix: string;
  /** What it is in this case, in a few words. */
  readonly what: string;
  /** How much this case has it: those with the most are named. */
  readonly distance: number;
}

/** A problem of one case. */
export type CaseProblem = Problem & { readonly kind?: Kind };

/** A problem whose message begins with its file. */
export function problem(severity: Problem['severity'], file: string, sentence: string, kind?: Kind): CaseProblem {
  return { severity, file, message: `${file}: ${sentence}`, ...(kind && { kind }) };
}
