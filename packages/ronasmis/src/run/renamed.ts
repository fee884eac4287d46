import { z } from 'zod';

/** A schema that takes a record in which a field is still called as it was: `evaluation_seconds` was `judging_seconds`. */
export const withOldNames = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((record) => {
    if (typeof record !== 'object' || record === null || !('judging_seconds' in record)) return record;
    const { judging_seconds: evaluation_seconds, ...others } = record;
    return { ...others, evaluation_seconds };
  }, schema);
