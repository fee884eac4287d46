import { z } from 'zod';

/** A value in the label maps and what it means. */
export const labelSchema = z.object({ value: z.int(), name: z.string() }).readonly();
/** A label: the value of its voxels, and its name. */
export type Label = z.infer<typeof labelSchema>;
