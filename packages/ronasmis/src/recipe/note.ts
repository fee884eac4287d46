import { z } from 'zod';

/** What is said of a constant beside its value: what it counts, and where the value comes from. */
export interface ConstantNote {
  readonly unit: string;
  readonly source: string;
}

/** What is said of each constant's schema. */
export const notes = z.registry<ConstantNote>();

export const [share, positive, count] = [z.number().min(0).max(1), z.number().positive(), z.int().positive()];
/** Two numbers, the smaller first. */
export const range = z
  .tuple([z.number(), z.number()])
  .readonly()
  .refine(([low, high]) => low <= high, 'the smaller number comes first');
/** A constant of a recipe, with what is said of it. */
export const note = <Schema extends z.ZodType>(schema: Schema, unit: string, source: string): Schema => {
  notes.add(schema, { unit, source });
  return schema;
};
