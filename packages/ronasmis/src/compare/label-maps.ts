import { join } from 'node:path';

/** Where a comparison has the label maps of a run's test cases. */
export const labelMapsOf = (run: string): string => join(run, 'predictions');

/** The label map that a run has made of a test case. */
export const labelMapIn = (run: string, name: string): string => join(labelMapsOf(run), `${name}.nii.gz`);
