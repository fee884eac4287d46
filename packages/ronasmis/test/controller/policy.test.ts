import { scope, sum } from '@ronasmis/libtorch';
import { describe, expect, test } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { createRandom } from '../../src/base/random.ts';
import { drawEntropy } from '../../src/controller/draw.ts';
import {
  createPolicy,
  likeliestChild,
  type Policy,
  preferChild,
  sampleChildren,
  scoreChildren,
} from '../../src/controller/policy.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { macroSpace } from '../../src/space/macro.ts';
import { chirpPolicy, reference } from './peer.ts';
import { smallChildren, smallSpace } from './small-space.ts';

const macro = macroSpace([36, 51, 35], networkDimensions(1, 3));

function probabilities(policy: Policy, children: readonly (readonly number[])[]): number[] {
  return scope(() => sum(scoreChildren(policy, children, 1).logProbabilities, [0]).toNumbers()).map(Math.exp);
}

test('the small space has 120 children', () => {
  expect(smallChildren).toHaveLength(2 * 3 * (3 + 2) * 2 * 2);
});

describe('scoreChildren', () => {
  test('gives the log-probabilities and entropies of the same LSTM in PyTorch', () => {
    scope(() => {
      const { logProbabilities, entropy } = scoreChildren(chirpPolicy(), reference.children, 1);
      sum(logProbabilities, [0])
        .toNumbers()
        .forEach((value, i) => {
          expect(value).toBeCloseTo(reference.log_probabilities[i], 4);
        });
      entropy.toNumbers().forEach((value, i) => {
        expect(value).toBeCloseTo(reference.entropies[i], 4);
      });
    });
  });

  test('gives probabilities that sum to 1 over all children', () => {
    for (const policy of [createPolicy(smallSpace, 3, defaultRecipe.controller), chirpPolicy()]) {
      const sum = probabilities(policy, smallChildren).reduce((sum, value) => sum + value, 0);
      expect(sum).toBeCloseTo(1, 5);
    }
  });

  test('gives an entropy whose mean over all children is that of the distribution', () => {
    const policy = chirpPolicy();
    const shares = probabilities(policy, smallChildren);
    const summed = scope(() => scoreChildren(policy, smallChildren, 1).entropy.toNumbers());
    const expected = shares.reduce((sum, share) => sum - share * Math.log(share), 0);
    expect(summed.reduce((sum, value, i) => sum + shares[i] * value, 0)).toBeCloseTo(expected, 4);
  });

  test('gives a masked option no probability', () => {
    expect(probabilities(chirpPolicy(), [[0, 0, 1, 2, 0, 0]])).toEqual([0]);
  });
});

describe('sampleChildren', () => {
  test('draws each child as often as it is probable, and none that is masked', () => {
    const policy = chirpPolicy();
    const draws = 6000;
    const counts = new Map(smallChildren.map((child) => [child.join(), 0]));
    for (const child of sampleChildren(policy, createRandom(1), { count: draws, sharpness: 1 })) {
      const count = counts.get(child.join());
      if (count === undefined) throw new Error(`${child.join()} is masked.`);
      counts.set(child.join(), count + 1);
    }
    const chiSquare = probabilities(policy, smallChildren).reduce((sum, share, i) => {
      const expected = share * draws;
      return sum + ((counts.get(smallChildren[i].join()) ?? 0) - expected) ** 2 / expected;
    }, 0);
    // SciPy 1.17.1, stats.chi2.ppf([1e-4, 1 - 1e-4], 119): 69.97 and 185.09.
    expect(chiSquare).toBeGreaterThan(69.97);
    expect(chiSquare).toBeLessThan(185.09);
  });

  test('draws the same children by the same seeds', () => {
    const draw = (policySeed: number, seed: number): string =>
      JSON.stringify(
        sampleChildren(createPolicy(macro, policySeed, defaultRecipe.controller), createRandom(seed), {
          count: 3,
          sharpness: 1,
        }),
      );
    expect(draw(1, 2)).toBe(draw(1, 2));
    expect(draw(1, 2)).not.toBe(draw(1, 3));
  });

  test('draws children of the macro space that its masks allow', () => {
    for (const child of sampleChildren(createPolicy(macro, 5, defaultRecipe.controller), createRandom(6), {
      count: 20,
      sharpness: 1,
    })) {
      expect(child).toHaveLength(44);
      child.forEach((option, at) => {
        expect(macro.admitted(child.slice(0, at))[option]).toBe(true);
      });
    }
  });
});

describe('a fresh policy', () => {
  test('is nearly uniform: its entropy is within a hundredth of that of the options that are left', () => {
    const policy = createPolicy(macro, 1, defaultRecipe.controller);
    const children = sampleChildren(policy, createRandom(2), { count: 4, sharpness: 1 });
    const entropies = scope(() => scoreChildren(policy, children, 1).entropy.toNumbers());
    children.forEach((child, i) => {
      const uniform = drawEntropy(macro, 0, child);
      expect(entropies[i]).toBeLessThanOrEqual(uniform + 1e-4);
      expect(entropies[i]).toBeGreaterThan(0.99 * uniform);
    });
  });

  test('depends on its seed alone', () => {
    const values = (seed: number): number[] =>
      [...createPolicy(smallSpace, seed, defaultRecipe.controller).weights.values()].flatMap((t) => t.toNumbers());
    expect(values(8)).toEqual(values(8));
    expect(values(8)).not.toEqual(values(9));
  });
});

test('the likeliest child takes the likeliest option at every decision', () => {
  const policy = chirpPolicy();
  const shares = probabilities(policy, smallChildren);
  /** Probability that a child begins so. */
  const begins = (prefix: readonly number[]): number =>
    smallChildren.reduce(
      (sum, child, i) => (prefix.every((option, at) => child[at] === option) ? sum + shares[i] : sum),
      0,
    );
  const expected: number[] = [];
  for (const { options } of smallSpace.decisions) {
    const next = Array.from({ length: options }, (_, option) => begins(expected.concat(option)));
    expected.push(next.indexOf(Math.max(...next)));
  }
  expect(likeliestChild(policy)).toEqual(expected);
});

describe('preferChild', () => {
  const preferred = [1, 2, 0, 1, 0, 1];
  const share = (lead: number): number => {
    const policy = createPolicy(smallSpace, 3, defaultRecipe.controller);
    preferChild(policy, preferred, lead);
    expect(likeliestChild(policy)).toEqual(preferred);
    return probabilities(policy, [preferred])[0];
  };

  test('gives each choice of the child a lead in logits', () => {
    // Options that are not preferred share what e^lead leaves of 1.
    const expected = [2, 3, 2, 3, 2, 2].reduce((product, options) => product / (1 + (options - 1) * Math.exp(-3)), 1);
    expect(share(3) / expected).toBeCloseTo(1, 1);
    expect(share(4)).toBeGreaterThan(share(3));
  });

  test('is that of the macro space too', () => {
    const policy = createPolicy(macro, 1, defaultRecipe.controller);
    preferChild(policy, macro.baseChoices, 2);
    expect(macro.decode(likeliestChild(policy))).toEqual(macro.base);
  });
});
