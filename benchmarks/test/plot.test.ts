import { expect, it } from 'vitest';
import { drawScaling } from '../src/plot.ts';

const measured = [16, 32, 64].map((side) => ({
  side,
  width: 16,
  seconds: side ** 3 / 1e6,
  bytes: side ** 3 * 100,
  multiplyAdds: 1,
}));

it('draws every size, and a linear line that lies on values that grow linearly', () => {
  const picture = drawScaling(measured, measured.slice(0, 2));
  expect(picture.match(/<circle/g)).toHaveLength(2 * (3 + 2));
  const circles = [...picture.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);
  // Of the first panel: the two of the training, then the three of the prediction.
  const [, , first, second, third] = circles;
  const slope = ([x1, y1]: readonly number[], [x2, y2]: readonly number[]): number => (y2 - y1) / (x2 - x1);
  expect(slope(first, second)).toBeCloseTo(slope(second, third), 2);
  expect(picture).not.toMatch(/NaN|Infinity|undefined/);
});
