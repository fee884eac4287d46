import { spreadOf } from '../evaluation/summary.ts';
import type { SearchEvent } from '../run/event.ts';
import type { Contribution } from '../run/study-record.ts';
import { choicesInWords } from '../space/words.ts';

/**
 * What each choice contributes: the mean reward of the children with each option, relative to the mean of the step at which they were
 * evaluated, since the weights of other steps are others. Meant for random search, whose choices are independent of each other; where
 * a controller draws together what it likes, a choice is credited with its company. Those that differ most beyond their errors
 * come first; a place with one option left is left out.
 */
export function contributions(events: readonly SearchEvent[]): readonly Contribution[] {
  const relative = events.flatMap(({ children, reward_mean }) =>
    children.flatMap(({ architecture, reward }) =>
      architecture.kind !== undefined || 'cell' in architecture
        ? []
        : [{ made: choicesInWords(architecture), relative: reward - (reward_mean ?? 0) }],
    ),
  );
  const rewards = new Map<string, Map<string, number[]>>();
  for (const { made, relative: reward } of relative) {
    for (const [choice, value] of made) {
      const options = rewards.get(choice) ?? new Map<string, number[]>();
      rewards.set(choice, options.set(value, [...(options.get(value) ?? []), reward]));
    }
  }
  return [...rewards]
    .filter(([, options]) => options.size > 1)
    .map(([choice, options]) => ({
      choice,
      options: [...options].map(([value, all]) => optionOf(value, all)).sort(byValue),
    }))
    .sort((a, b) => standardisedRange(b) - standardisedRange(a));
}

function optionOf(value: string, rewards: readonly number[]): Contribution['options'][number] {
  const { count, mean, deviation } = spreadOf(rewards) ?? { count: 0, mean: Number.NaN, deviation: 0 };
  return { value, children: count, mean, standard_error: deviation / Math.sqrt(count) };
}

function byValue(a: { readonly value: string }, b: { readonly value: string }): number {
  return a.value.localeCompare(b.value, 'en', { numeric: true });
}

/**
 * How far apart the best and the worst option are, in standard errors of their difference; 0 where an option has too few children to
 * know an error.
 */
export function standardisedRange({ options }: Contribution): number {
  const known = options.filter(({ children }) => children > 2).sort((a, b) => b.mean - a.mean);
  if (known.length < 2) return 0;
  const [best, worst] = [known[0], known[known.length - 1]];
  const error = Math.hypot(best.standard_error, worst.standard_error);
  return error === 0 ? 0 : (best.mean - worst.mean) / error;
}
