import fc from 'fast-check';
import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { contourPath } from '../../src/report/contours.ts';
import { chooseSlices, drawSlice, pickExamples } from '../../src/report/slices.ts';

describe('contourPath', () => {
  it('is a diamond around one pixel', () => {
    const segments = contourPath(Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0), 3, 3, 1)
      .split('M')
      .slice(1)
      .sort();
    expect(segments).toEqual(['1 1.5L1.5 2', '1.5 1L1 1.5', '1.5 1L2 1.5', '1.5 2L2 1.5']);
  });

  it('is closed: every point ends two pieces, and is empty where the label is absent', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 42, maxLength: 42, max: 2 }), (labels) => {
        const counts = new Map<string, number>();
        for (const point of contourPath(labels, 6, 7, 1).split(/[ML]/).slice(1))
          counts.set(point, (counts.get(point) ?? 0) + 1);
        expect([...counts.values()].every((count) => count === 2)).toBe(true);
        expect(counts.size > 0).toBe(labels.includes(1));
      }),
    );
  });
});

describe('pickExamples', () => {
  const summary = (values: Record<string, number | null>) => ({
    mean: 0,
    classes: {},
    cases: Object.fromEntries(Object.entries(values).map(([name, dice]) => [name, { '1': dice }])),
  });

  it('names the best, the median and the worst', () => {
    expect(pickExamples(summary({ a: 0.5, b: 0.9, c: 0.1, d: 0.7, e: null }))).toEqual([
      { rank: 'Best', name: 'b', dice: 0.9 },
      { rank: 'Median', name: 'd', dice: 0.7 },
      { rank: 'Worst', name: 'c', dice: 0.1 },
    ]);
  });

  it('names no case twice', () => {
    expect(pickExamples(summary({ a: 0.5 })).map(({ rank }) => rank)).toEqual(['Best']);
    expect(pickExamples(summary({ a: 0.5, b: 0.6 })).map(({ name }) => name)).toEqual(['b', 'a']);
    expect(pickExamples(summary({}))).toEqual([]);
  });
});

describe('chooseSlices and drawSlice', () => {
  const shape = [9, 2, 3] as const;
  const labelled = (...planes: number[]) =>
    Uint8Array.from({ length: 54 }, (_, i) => (planes.includes(Math.floor(i / 6)) ? 1 : 0));
  const volume = { image: Float32Array.from({ length: 54 }, (_, i) => i), shape, spacing: [5, 2, 1] as const };

  it('takes slices inside the labelled extent', () => {
    const slices = chooseSlices({ ...volume, reference: labelled(2, 3, 4), prediction: labelled(5, 6) });
    expect(slices.map((slice) => slice.number)).toEqual([4, 5, 6]);
    expect(slices[0]).toMatchObject({ height: 2, width: 3, count: 9, pixelAspect: 2 });
    expect([...slices[0].image]).toEqual([18, 19, 20, 21, 22, 23]);
    expect(chooseSlices({ ...volume, reference: labelled(), prediction: labelled() })).toHaveLength(1);
  });

  it('embeds the intensities as a grey PNG', () => {
    const [slice] = chooseSlices({ ...volume, reference: labelled(1), prediction: labelled() });
    const uri = /href="data:image\/png;base64,([^"]+)"/.exec(drawSlice(slice, 1).markup);
    const png = decode(Buffer.from(uri?.[1] ?? '', 'base64'));
    expect(png).toMatchObject({ width: 3, height: 2, channels: 1, depth: 8 });
    expect([...png.data]).toEqual([0, 51, 102, 153, 204, 255]);
  });
});
