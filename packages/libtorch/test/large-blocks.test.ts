import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { empty, fillInPlace, maximumAll, minimumAll, narrow, scope, type Tensor, zeros } from '../src/index.ts';

const megabyte = 2 ** 20;
/** Bytes of a float32. */
const width = 4;

/** A tensor whose memory no one has cleared, then with `value` everywhere. Its length is given in bytes. */
function filled(bytes: number, value: number): Tensor {
  const made = empty([Math.floor(bytes / width)], 'float32');
  fillInPlace(made, value);
  return made;
}

const range = (one: Tensor): readonly number[] => scope(() => [minimumAll(one).item(), maximumAll(one).item()]);

/** The same numbers in an order that depends on the round alone. */
function shuffled(numbers: readonly number[], round: number): readonly number[] {
  return numbers.toSorted((a, b) => Math.sin(a * 7.1 + round) - Math.sin(b * 7.1 + round));
}

describe('large tensors on a processor', () => {
  const slots = 12;
  // On both sides of the megabyte from which on they have a region of their own.
  const step = fc.record({
    slot: fc.integer({ min: 0, max: slots - 1 }),
    bytes: fc.integer({ min: megabyte / 2, max: 8 * megabyte }),
    leaveEmpty: fc.boolean(),
  });

  it('keep their values while others come and go: no two lie over each other', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 40 }), (steps) => {
        const held = new Map<number, { readonly one: Tensor; readonly value: number }>();
        const release = (slot: number): void => {
          const there = held.get(slot);
          if (!there) return;
          expect(range(there.one)).toEqual([there.value, there.value]);
          there.one.free();
          held.delete(slot);
        };
        steps.forEach(({ slot, bytes, leaveEmpty }, value) => {
          release(slot);
          if (!leaveEmpty) held.set(slot, { one: filled(bytes, value), value });
        });
        for (const slot of [...held.keys()]) release(slot);
      }),
      { numRuns: 15 },
    );
  });

  it('keep their memory for as long as a view of them lives', () => {
    const whole = filled(4 * megabyte, 7);
    const view = narrow(whole, 0, 1000, 300_000);
    whole.free();
    const others = [1, 2, 3, 4].map((count) => filled(count * megabyte, -count));
    expect(range(view)).toEqual([7, 7]);
    for (const one of [view, ...others]) one.free();
  });

  it.skipIf(process.platform !== 'linux')('lie in memory that was freed before, whatever the order', () => {
    const sizes = [0.5, 1, 1.1, 1.7, 2.3, 3, 4.5, 6].map((size) => size * megabyte);
    const once = (round: number): void => {
      const made = new Map(shuffled(sizes, round).map((bytes) => [bytes, filled(bytes, round)]));
      for (const bytes of shuffled(sizes, 3 * round + 1)) made.get(bytes)?.free();
    };
    let early = 0;
    for (let round = 1; round <= 200; round += 1) {
      once(round);
      if (round === 20) early = process.memoryUsage.rss();
    }
    // A single one that is not found again, in each round, would be 90 MB at least.
    expect(process.memoryUsage.rss() - early).toBeLessThan(12 * megabyte);
  });

  it('are an error where no machine has the memory, and others can be made afterwards', () => {
    const before = filled(2 * megabyte, 5);
    expect(() => zeros([2 ** 45])).toThrow(/^aten::zeros\(size: \[35184372088832\].*memory/s);
    expect(() => empty([2 ** 30, 2 ** 30])).toThrow(/^aten::empty/);
    const after = filled(3 * megabyte, 6);
    expect([before, after].map(range)).toEqual([
      [5, 5],
      [6, 6],
    ]);
    for (const one of [before, after]) one.free();
  });
});
