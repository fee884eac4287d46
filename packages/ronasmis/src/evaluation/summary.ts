import { z } from 'zod';
import { mean, sum } from '../base/statistics.ts';

/** Scores of one case: label value (as text) -> score, `null` where it is undefined. */
export type CaseScores = Readonly<Record<string, number | null>>;

/**
 * Dice as run folders keep it, all values fractions. `mean` is the patient-wise mean, `null` where no case has a class; `classes` the mean of each class
 * over the cases that have it; `cases` every single value, `null` where neither prediction nor reference has the class.
 */
export const diceSummarySchema = z.object({
  mean: z.number().nullable(),
  classes: z.record(z.string(), z.number()),
  cases: z.record(z.string(), z.record(z.string(), z.number().nullable())),
});
/** Dice of several cases, as run folders keep it. */
export type DiceSummary = z.infer<typeof diceSummarySchema>;

/** Number of values, mean and sample standard deviation (0 for a single value). */
export type Spread = { readonly count: number; readonly mean: number; readonly deviation: number };

/** Mean and sample standard deviation of what is not `null`; `null` where nothing is left. */
export function spreadOf(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  const middle = mean(known);
  const squares = sum(known.map((value) => (value - middle) ** 2));
  return { count: known.length, mean: middle, deviation: Math.sqrt(squares / Math.max(1, known.length - 1)) };
}

/** Mean over the classes that a case has; `null` where it has none. */
export function caseMean(scores: CaseScores): number | null {
  return spreadOf(Object.values(scores))?.mean ?? null;
}

/**
 * Patient-wise mean: the mean over patients of the mean over the foreground classes present. It is the reward of the
 * search.
 * @returns `null` where no case has any class: healthy scans in which nothing was found, or structures that are lost at the common spacing
 */
export function patientMean(cases: readonly CaseScores[]): number | null {
  return spreadOf(cases.map(caseMean))?.mean ?? null;
}

/**
 * Sums up Dice per case and class.
 * @param cases case name -> label value -> Dice
 */
export function summariseDice(cases: Readonly<Record<string, CaseScores>>): DiceSummary {
  const scores = Object.values(cases);
  const labels = [...new Set(scores.flatMap((score) => Object.keys(score)))].sort((a, b) => Number(a) - Number(b));
  const classes: Record<string, number> = {};
  for (const label of labels) {
    const spread = spreadOf(scores.map((score) => score[label] ?? null));
    if (spread !== null) classes[label] = spread.mean;
  }
  return {
    mean: patientMean(scores),
    classes,
    cases: Object.fromEntries(Object.entries(cases).map(([name, score]) => [name, { ...score }])),
  };
}
