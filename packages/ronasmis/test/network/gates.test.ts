import { noGradient, scope, tensor, to } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { gateOf, gumbel, relaxedChoice } from '../../src/network/gates.ts';

const logitsOf = (values: readonly number[]) =>
  to(tensor(Float64Array.from(values), [values.length]), { dataType: 'float32' });

/** Softmax of logits and noise, in JavaScript. */
function softmax(scores: readonly number[]): readonly number[] {
  const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

const cases = fc.integer({ min: 2, max: 6 }).chain((operations) =>
  fc.record({
    logits: fc.array(fc.double({ min: -0.1, max: 0.1, noNaN: true }), { minLength: operations, maxLength: operations }),
    noise: fc.array(fc.double({ min: -1.5, max: 4, noNaN: true }), { minLength: operations, maxLength: operations }),
    chosen: fc.integer({ min: 0, max: operations - 1 }),
    temperature: fc.constantFrom(0.5, 1, 2),
    sharpness: fc.constantFrom(1, 25),
  }),
);

describe('a gate', () => {
  it('is 1, with the gradient that finite differences of the relaxed choice have', () => {
    fc.assert(
      fc.property(cases, ({ logits, ...choice }) => {
        const { chosen, noise, temperature, sharpness } = choice;
        const share = (values: readonly number[]): number =>
          softmax(values.map((value, i) => (sharpness * value + noise[i]) / temperature))[chosen];
        scope(() => {
          const weight = logitsOf(logits);
          weight.requiresGradient = true;
          expect(noGradient(() => relaxedChoice(weight, choice).item())).toBeCloseTo(share(logits), 5);
          const gate = gateOf(weight, { ...choice, name: 'gate', logits: 'logits' });
          expect(gate.shape).toEqual([1]);
          expect(gate.item()).toBe(1);
          gate.backward();
          const step = 1e-5;
          const expected = logits.map((_, at) => {
            const moved = (by: number) => share(logits.map((value, i) => (i === at ? value + by : value)));
            return (moved(step) - moved(-step)) / (2 * step);
          });
          const gradient = weight.gradient?.toNumbers() ?? [];
          gradient.forEach((value, at) => {
            expect(Math.abs(value - expected[at])).toBeLessThan(1e-4 * sharpness);
          });
          // More of one operation is less of the others.
          expect(Math.abs(gradient.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-5 * sharpness);
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe('Gumbel noise', () => {
  it("has the distribution's mean and variance", () => {
    const random = createRandom(3);
    const draws = Array.from({ length: 20_000 }, () => gumbel(random));
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
    const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
    const expected = Math.PI ** 2 / 6;
    expect(Math.abs(mean - 0.577216)).toBeLessThan(4 * Math.sqrt(expected / draws.length));
    // The kurtosis of the distribution is 5.4.
    expect(Math.abs(variance - expected)).toBeLessThan(4 * expected * Math.sqrt(4.4 / draws.length));
  });

  it('is a number even where the uniform one is 0', () => {
    expect(gumbel({ ...createRandom(1), uniform: () => 0 })).toBeLessThan(-6);
    expect(Number.isFinite(gumbel({ ...createRandom(1), uniform: () => 0 }))).toBe(true);
  });
});
