import type { Random } from '../base/random.ts';

/** From the smallest to the largest. */
type Range = readonly [number, number];

/** Uniform over a range. */
export const between = (random: Random, [low, high]: Range): number => low + (high - low) * random.uniform();

/** As often below 1 as above it. */
export const aroundOne = (random: Random, [low, high]: Range): number =>
  random.uniform() < 0.5 ? between(random, [low, 1]) : between(random, [1, high]);

/** Whether it is one of a share of all cases: of 0 and 1 nothing is drawn. */
export const happens = (random: Random, share: number): boolean =>
  share === 1 || (share > 0 && random.uniform() < share);
