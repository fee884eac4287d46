import type { RankCorrelation } from '../evaluation/rank-correlation.ts';
import type { Spread } from '../evaluation/summary.ts';
import type { Comparison, StudyResults } from '../run/study-record.ts';
import { formatDice } from './format.ts';

/** A difference of Dice in points of a percent, with its sign. */
export function points(difference: number): string {
  return `${difference < 0 ? '−' : '+'}${Math.abs(difference * 100).toFixed(2)}`;
}

/** The smallest p that is written out; below, `< 0.001`. */
export function formatProbability(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** Mean and standard deviation over the seeds in percent; of a single seed, that has no deviation, its Dice alone. */
export function formatSpread({ count, mean, deviation }: Spread): string {
  return count < 2 ? formatDice(mean) : `${formatDice(mean)} ± ${formatDice(deviation)}`;
}

/** The interval over the seeds, `-` for a single seed. */
export function formatInterval({ interval }: Comparison): string {
  return interval === null ? '-' : formatRange(interval);
}

/** From one difference to another, in points. */
export const formatRange = ({ low, high }: NonNullable<Comparison['interval']>): string =>
  `${points(low)} to ${points(high)}`;

/** What the figures say, in plain sentences, and nothing beyond them. */
export function verdict(results: StudyResults): readonly string[] {
  const [{ name: subject }] = results.contestants;
  const sentences = asked.flatMap(({ other, what }) => {
    const comparison = results.comparisons.find((one) => one.other === other);
    return comparison ? [`The search (${subject}) against ${what}: ${evaluation(comparison, results.seeds)}`] : [];
  });
  return [...sentences, rankVerdict(results.alone)];
}

/** What is asked of a search, the most important first. */
const asked = [
  { other: 'fixed', what: 'the base architecture, trained without any search' },
  { other: 'near-base', what: 'random search near the base architecture' },
  { other: 'random', what: 'random search' },
] as const;

function evaluation(comparison: Comparison, seeds: number): string {
  const figures = `${points(comparison.difference)} points of test Dice`;
  const { interval } = comparison;
  if (interval === null) return `${figures} with one seed, which says nothing of the spread between seeds.`;
  const within = `${figures} (95 % interval over ${seeds} seeds: ${formatInterval(comparison)})`;
  if (interval.low > 0) return `${within}. It was better, beyond the spread between seeds.`;
  if (interval.high < 0) return `${within}. It was worse, beyond the spread between seeds.`;
  return `${within}. With these seeds no difference can be told from chance.`;
}

/**
 * Evaluated by the test Dice, of cases that the reward has not seen and that mostly are more than the validation cases; how the validation
 * Dice ranks them stands behind it.
 */
function rankVerdict({
  children,
  with_test: correlation,
  with_validation: onSameCases,
}: StudyResults['alone']): string {
  const subject = 'The reward with shared weights against the test Dice of the same children trained alone';
  if (correlation === null)
    return `${subject}: ${children.length} of them have no order, so there is no rank correlation.`;
  const probability = formatProbability(correlation.p);
  const figures = `Kendall's tau ${correlation.tau.toFixed(2)} (p ${probability}, ${children.length} children)`;
  const beside = onSameCases
    ? ` With their validation Dice, of the reward's own cases: ${onSameCases.tau.toFixed(2)} (p ${formatProbability(onSameCases.p)}).`
    : '';
  return `${subject}: ${figures}. ${meaningOf(correlation)}${beside}`;
}

function meaningOf({ tau, p }: RankCorrelation): string {
  if (p >= 0.05) return 'That the shared weights rank children as their own would is not shown.';
  return tau > 0
    ? 'The shared weights rank children partly as their own would; at a tau of 1 they would do so wholly.'
    : 'The shared weights rank children the other way round.';
}

/** What the figures cannot say: stands below the comparisons. */
export const CAVEATS: readonly string[] = [
  'The interval is of the difference from seed to seed (Student’s t, one less degrees of freedom than seeds): with three seeds it is wide, and a difference within it may still be there.',
  'p is of Wilcoxon’s signed rank test over the test cases, each averaged over the seeds, and corrected for the number of comparisons (Holm). A small one says that these very networks differ on such cases; it does not say that other seeds would give the same, for cases do not replace seeds.',
];
