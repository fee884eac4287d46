import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { squaredDistances } from '../../src/evaluation/distance-transform.ts';

describe('squaredDistances', () => {
  it('agrees with SciPy', () => {
    // s = np.ones((4, 5, 6)); s[0, 0, 0] = s[3, 4, 2] = s[1, 2, 5] = 0
    // d = scipy.ndimage.distance_transform_edt(s, sampling=(2.5, 0.9, 1.1)); d.sum(), d[2, 2, 2], d[3, 0, 5], d.max()
    const seeds = new Uint8Array(4 * 5 * 6);
    for (const [z, y, x] of [
      [0, 0, 0],
      [3, 4, 2],
      [1, 2, 5],
    ]) {
      seeds[(z * 5 + y) * 6 + x] = 1;
    }
    const distances = squaredDistances(seeds, [4, 5, 6], [2.5, 0.9, 1.1]).map(Math.sqrt);
    expect(distances.reduce((a, b) => a + b)).toBeCloseTo(338.58525303302997, 10);
    expect(distances[(2 * 5 + 2) * 6 + 2]).toBeCloseTo(3.0805843601498726, 12);
    expect(distances[(3 * 5 + 0) * 6 + 5]).toBeCloseTo(4.883646178829912, 12);
    expect(Math.max(...distances)).toBeCloseTo(4.904079934095692, 12);
  });

  it('is the smallest distance to any seed', () => {
    const spacing = fc.double({ min: 0.2, max: 5, noNaN: true });
    const volume = fc.array(fc.boolean(), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(volume, fc.tuple(spacing, spacing, spacing), (set, [dz, dy, dx]) => {
        const distances = squaredDistances(Uint8Array.from(set, Number), [3, 4, 5], [dz, dy, dx]);
        const at = (i: number) => [Math.floor(i / 20) * dz, (Math.floor(i / 5) % 4) * dy, (i % 5) * dx];
        for (let i = 0; i < 60; i++) {
          const [z, y, x] = at(i);
          let nearest = Infinity;
          set.forEach((isSet, j) => {
            const [z2, y2, x2] = at(j);
            if (isSet) nearest = Math.min(nearest, (z - z2) ** 2 + (y - y2) ** 2 + (x - x2) ** 2);
          });
          if (nearest === Infinity) expect(distances[i]).toBe(Infinity);
          else expect(distances[i]).toBeCloseTo(nearest, 9);
        }
      }),
    );
  });
});
