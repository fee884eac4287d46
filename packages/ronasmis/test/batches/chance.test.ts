import { describe, expect, test } from 'vitest';
import { createRandom, type Random } from '../../src/base/random.ts';
import { aroundOne, between, happens } from '../../src/batches/chance.ts';

/** That a share of many draws is the expected one within four standard errors. */
function expectShare(share: number, draw: (random: Random) => boolean): void {
  const random = createRandom(1);
  const found = Array.from({ length: 10_000 }, () => draw(random)).filter(Boolean).length / 10_000;
  expect(Math.abs(found - share)).toBeLessThanOrEqual(4 * Math.sqrt((share * (1 - share)) / 10_000));
}

describe('draws', () => {
  test('between two numbers are uniform', () => {
    expectShare(0.25, (random) => between(random, [2, 6]) < 3);
    expectShare(1, (random) => Math.abs(between(random, [2, 6]) - 4) <= 2);
  });

  test('around one are below it in half of the cases, and uniform on each side', () => {
    expectShare(0.5, (random) => aroundOne(random, [0.7, 1.5]) < 1);
    expectShare(0.25, (random) => aroundOne(random, [0.7, 1.5]) > 1.25);
    expectShare(1, (random) => Math.abs(aroundOne(random, [0.7, 1.5]) - 1.1) <= 0.4);
  });

  test('happen as often as they should, and take no chance where there is none', () => {
    expectShare(0.3, (random) => happens(random, 0.3));
    const random = createRandom(1);
    const before = random.state();
    expect([happens(random, 0), happens(random, 1)]).toEqual([false, true]);
    expect(random.state()).toEqual(before);
  });
});
