import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  add,
  empty,
  emptyCache,
  fillInPlace,
  isOutOfMemory,
  limitTensorBytes,
  maximumAll,
  minimumAll,
  multiply,
  narrow,
  peakTensorBytes,
  resetPeakTensorBytes,
  scope,
  sumAll,
  type Tensor,
  zeros,
} from '../src/index.ts';

const megabyte = 2 ** 20;
/** Bytes of a float32. */
const width = 4;

/** A tensor whose memory no one has cleared, then with `value` everywhere. Its length is given in bytes. */
function filled(bytes: number, value: number): Tensor {
  const made = empty([Math.floor(bytes / width)], { dataType: 'float32' });
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
  // On both sides of the 64 KiB from which on they have a region of their own.
  const step = fc.record({
    slot: fc.integer({ min: 0, max: slots - 1 }),
    bytes: fc.oneof(fc.integer({ min: 2 ** 14, max: 2 ** 18 }), fc.integer({ min: megabyte / 2, max: 8 * megabyte })),
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

describe.skipIf(process.platform !== 'linux')('the memory of large tensors', () => {
  afterEach(() => limitTensorBytes(Number.POSITIVE_INFINITY));

  /** Bytes of large tensors that are alive now. */
  function inUse(): number {
    resetPeakTensorBytes('cpu');
    return peakTensorBytes('cpu');
  }

  it('is counted: the most at once, since it was last asked to begin anew', () => {
    const before = inUse();
    const [one, other] = [filled(4 * megabyte, 1), filled(2 * megabyte, 2)];
    one.free();
    expect(peakTensorBytes('cpu') - before).toBe(6 * megabyte);
    expect(inUse() - before).toBe(2 * megabyte);
    other.free();
    expect(inUse()).toBe(before);
  });

  it('is given back to the system on demand, but for what tensors hold', () => {
    const kept = [0, 1, 2, 3].map((value) => filled(megabyte, value));
    const freed = Array.from({ length: 100 }, (_, value) => filled(megabyte, value));
    const before = process.memoryUsage.rss();
    for (const one of freed) one.free();
    emptyCache('cpu');
    expect(before - process.memoryUsage.rss()).toBeGreaterThan(90 * megabyte);
    expect(kept.map(range)).toEqual([0, 1, 2, 3].map((value) => [value, value]));
    for (const one of kept) one.free();
  });

  it('has a limit: what is beyond it is an error of its own kind, and leaves everything as it was', () => {
    const before = inUse();
    limitTensorBytes(before + 10 * megabyte);
    const held = filled(6 * megabyte, 3);
    const failure = (() => {
      try {
        return add(held, held);
      } catch (error) {
        return error;
      }
    })();
    expect(isOutOfMemory(failure)).toBe(true);
    expect(String(failure)).toMatch(/aten::add.*out of memory: a tensor of 6291456 bytes is wanted/s);
    expect(isOutOfMemory(new Error('Something else.'))).toBe(false);
    expect(range(held)).toEqual([3, 3]);
    const small = filled(3 * megabyte, 4);
    for (const one of [held, small]) one.free();
    expect(inUse()).toBe(before);
  });

  it('ends a way back that does not fit, and another one can follow', () => {
    const before = inUse();
    const input = filled(megabyte, 2);
    input.requiresGradient = true;
    const attempt = (): void => scope(() => sumAll(multiply(input, multiply(input, input))).backward());
    limitTensorBytes(before + 3.5 * megabyte);
    expect(attempt).toThrow(/out of memory/);
    input.clearGradient();
    limitTensorBytes(Number.POSITIVE_INFINITY);
    attempt();
    expect(scope(() => input.gradient?.toNumbers().every((value) => value === 12))).toBe(true);
    input.clearGradient();
    input.free();
    expect(inUse()).toBe(before);
  });

  it('stays within the limit, whatever comes and goes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 2 ** 16, max: 12 * megabyte }), { minLength: 20, maxLength: 40 }),
        (sizes) => {
          emptyCache('cpu');
          const limit = inUse() + 32 * megabyte;
          limitTensorBytes(limit);
          const before = process.memoryUsage.rss();
          const held: Tensor[] = [];
          for (const bytes of sizes) {
            // The oldest go until the next one fits: fragmented as they are, nothing but their sum may count.
            while (inUse() + bytes + 64 > limit) held.shift()?.free();
            held.push(filled(bytes, held.length));
          }
          const grown = process.memoryUsage.rss() - before;
          for (const one of held) one.free();
          limitTensorBytes(Number.POSITIVE_INFINITY);
          expect(grown).toBeLessThan(40 * megabyte);
        },
      ),
      { numRuns: 8 },
    );
  });
});
