import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createPolicy, likeliestChild, sampleChildren } from '../../src/controller/policy.ts';
import { sharpnessAt } from '../../src/controller/policy-controller.ts';
import { createRandom } from '../../src/random.ts';
import { smallSpace } from './small-space.ts';

it('is 1 at first, never falls, and is at its most from two thirds of the search on', () => {
  expect(sharpnessAt(0)).toBe(1);
  expect(sharpnessAt(1 / 3)).toBeCloseTo(2, 12);
  expect(sharpnessAt(2 / 3)).toBe(50);
  expect(sharpnessAt(1)).toBe(50);
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(share, share, (one, other) => {
      expect(sharpnessAt(Math.max(one, other))).toBeGreaterThanOrEqual(sharpnessAt(Math.min(one, other)));
    }),
  );
});

it('makes a policy that has hardly learnt draw its likeliest child', () => {
  const policy = createPolicy(smallSpace, 3);
  const likeliest = likeliestChild(policy, smallSpace);
  const share = (sharpness: number): number =>
    sampleChildren(policy, smallSpace, 500, createRandom(1), sharpness).filter(
      (child) => String(child) === String(likeliest),
    ).length / 500;
  expect(share(1)).toBeLessThan(0.1);
  expect(share(1e4)).toBeGreaterThan(0.95);
});
