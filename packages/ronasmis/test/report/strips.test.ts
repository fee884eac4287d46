import fc from 'fast-check';
import { expect, it } from 'vitest';
import { strips } from '../../src/report/strips.ts';

/** Place and lane of each dot, as they are drawn. */
const drawn = (values: readonly number[]) => {
  const dots = values.map((value) => ({ value, label: `case ${value}` }));
  const { markup } = strips([{ name: 'row', note: '', tone: 'accent', middle: 0.5, dots }], [0, 0.5, 1], String);
  return [...markup.matchAll(/left:([\d.]+)%;--lane:(-?\d+)/g)].map(([, left, lane]) => ({
    left: Number(left),
    lane: Number(lane),
  }));
};

it('a dot stands where its value is between the ends of the axis', () => {
  expect(drawn([0.25, 0, 1]).map(({ left }) => left)).toEqual([0, 25, 100]);
});

it('dots that would cover each other have lanes of their own, as long as lanes suffice', () => {
  const value = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { maxLength: 7 }), (values) => {
      const dots = drawn(values);
      expect(dots).toHaveLength(values.length);
      for (const [i, one] of dots.entries())
        for (const other of dots.slice(0, i))
          expect(one.lane !== other.lane || Math.abs(one.left - other.left) >= 1.1 - 1e-9).toBe(true);
    }),
  );
  expect(drawn([0.2, 0.8]).map(({ lane }) => lane)).toEqual([0, 0]);
});

it('more equal dots than lanes are all drawn', () => {
  expect(drawn(Array(20).fill(0.5))).toHaveLength(20);
});
