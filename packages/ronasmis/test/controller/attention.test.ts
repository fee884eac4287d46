import { multiply, scope, sum, type Tensor, tensor } from '@ronasmis/libtorch';
import { describe, expect, test } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { createPolicy, type Policy, scoreChildren } from '../../src/controller/policy.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { macroSpace } from '../../src/space/macro.ts';
import { type ChoiceName, decisions, placeOf, type Section } from '../../src/space/table1.ts';
import { fillWithChirp } from '../chirp.ts';

const space = macroSpace([80, 80, 80], networkDimensions(1, 3));
const encoder = (level: number): Section => ({ part: 'encoder', level });

/** A policy whose weights are large enough that what it has chosen matters to what it chooses next. */
function decidedPolicy(): Policy {
  const policy = createPolicy(space, 1, defaultRecipe.controller);
  [...policy.weights].forEach(([name, weight], phase) => {
    if (!name.startsWith('bias')) fillWithChirp(weight, phase, (value) => value / 2);
  });
  return policy;
}

/** Log-probability of each decision of a child. */
function score(policy: Policy, child: readonly number[]): readonly number[] {
  return scope(() => scoreChildren(policy, [child], 1).logProbabilities.toNumbers());
}

/** The base child with another option at one place. */
function baseWith(choice: ChoiceName, section: Section, option: number): readonly number[] {
  const place = placeOf(choice, section);
  return space.baseChoices.map((chosen, at) => (at === place ? option : chosen));
}

/** Of two lists of log-probabilities, where they differ: as what decisions they are. */
function changed(before: readonly number[], after: readonly number[]): readonly string[] {
  const names = decisions.map(({ choice, from }) => (from === undefined ? choice : `${choice} ${from}`));
  return [...new Set(names.filter((_, at) => Math.abs(after[at] - before[at]) > 1e-6))].sort();
}

function weightOf(policy: Policy, name: string): Tensor {
  const weight = policy.weights.get(name);
  if (!weight) throw new Error(`There is no ${name}.`);
  return weight;
}

const skips = ['skip 0', 'skip 1', 'skip 2', 'skip 3'];

describe('a skip is decided by attention', () => {
  test.each(['attention.anchor', 'attention.query', 'attention.score'])(
    '%s changes all skips and nothing else',
    (name) => {
      const policy = decidedPolicy();
      const before = score(policy, space.baseChoices);
      fillWithChirp(weightOf(policy, name), 99, (value) => value / 3);
      expect(changed(before, score(policy, space.baseChoices))).toEqual(skips);
    },
  );

  test('of what was chosen at the level that it comes from', () => {
    const policy = decidedPolicy();
    // Without the query, the attention sees the level alone, and not where the controller is.
    fillWithChirp(weightOf(policy, 'attention.query'), 0, () => 0);
    const at = (child: readonly number[], level: number): readonly number[] => {
      const logarithms = score(policy, child);
      return [0, 1, 2, 3].map((into) => logarithms[placeOf('skip', { part: 'decoder', level: into }, level)]);
    };
    const isAdded = space.baseChoices.map((option) => option === 1);
    for (const level of [0, 1, 2, 3]) {
      for (const [choice, option] of [
        ['dilation', 2],
        ['activation', 2],
      ] as const) {
        const other = baseWith(choice, encoder(level), option);
        for (const from of [0, 1, 2, 3]) {
          const same = String(at(other, from)) === String(at(space.baseChoices, from));
          // Levels above the changed one were decided before it.
          expect(same, `${choice} of level ${level}, skips from ${from}`).toBe(from < level);
        }
      }
      // One level, one score: wherever it is added.
      const left = at(space.baseChoices, level).filter(
        (_, into) => !isAdded[placeOf('skip', { part: 'decoder', level: into }, level)],
      );
      for (const value of left) expect(value).toBeCloseTo(left[0], 5);
    }
  });

  test("and its gradient reaches the attention's weights, by the skips alone", () => {
    const names = ['attention.anchor', 'attention.query', 'attention.score'];
    const sizes = (of: (name: string) => boolean): readonly number[] => {
      const policy = decidedPolicy();
      scope(() => {
        const { logProbabilities } = scoreChildren(policy, [space.baseChoices], 1);
        const wanted = Float32Array.from(decisions, ({ choice }) => (of(choice) ? 1 : 0));
        sum(multiply(logProbabilities, tensor(wanted, [wanted.length, 1])), [0, 1]).backward();
      });
      return names.map((name) => Math.max(...(weightOf(policy, name).gradient?.toNumbers().map(Math.abs) ?? [0])));
    };
    for (const size of sizes((choice) => choice === 'skip')) expect(size).toBeGreaterThan(1e-4);
    expect(sizes((choice) => choice !== 'skip')).toEqual([0, 0, 0]);
  });
});
