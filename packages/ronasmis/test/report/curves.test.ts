import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineChart, niceTicks } from '../../src/report/curves.ts';

describe('niceTicks', () => {
  it('encloses the values with few round numbers', () => {
    expect(niceTicks(0.13, 0.87, 4)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(niceTicks(12, 12, 4)).toEqual([10, 15]);
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(value, value, (a, b) => {
        const ticks = niceTicks(Math.min(a, b), Math.max(a, b), 4);
        const slack = 1e-6 * (Math.abs(a) + Math.abs(b) + 1);
        expect(ticks[0]).toBeLessThanOrEqual(Math.min(a, b) + slack);
        expect(ticks[ticks.length - 1]).toBeGreaterThanOrEqual(Math.max(a, b) - slack);
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks.length).toBeLessThan(9);
      }),
    );
  });
});

describe('lineChart', () => {
  const chart = (steps: number[], values: number[]) =>
    lineChart({ title: 'Reward', steps, series: [{ name: 'mean', values, tone: 'accent' }], format: String }).markup;

  it('draws a point a step, the higher value further up', () => {
    const points = [...chart([1, 2, 3], [0.2, 0.9, 0.4]).matchAll(/<circle[^>]* cy="([\d.]+)"/g)].map((match) =>
      Number(match[1]),
    );
    expect(points).toHaveLength(3);
    expect(points[1]).toBeLessThan(points[2]);
    expect(points[2]).toBeLessThan(points[0]);
  });

  it('stands one step, none, and values that are not finite', () => {
    expect(chart([7], [0.5])).toContain('<title>Step 7: mean 0.5</title>');
    expect(chart([], [])).toContain('No step was finished');
    expect(chart([1, 2], [Number.NaN, 1])).not.toContain('NaN');
  });
});
