import { describe, expect, it } from 'vitest';
import { cropMask } from '../../src/evaluation/mask.ts';
import { compareLabels } from '../../src/evaluation/overlap.ts';
import { surfaceScores } from '../../src/evaluation/surface.ts';
import { referenceVolume, SHAPE, twoEllipsoids } from './masks.ts';

function scores(label: number, spacing: readonly number[], tolerance: number) {
  const [prediction, reference] = [twoEllipsoids(0), referenceVolume()];
  const box = compareLabels(prediction, reference, SHAPE).get(label)?.box;
  if (box === undefined) throw new Error(`no class ${label}`);
  const crop = (volume: Uint8Array) => cropMask(volume, label, SHAPE, box);
  return surfaceScores(crop(prediction), crop(reference), {
    shape: box.shape,
    spacing,
    toleranceMillimetres: tolerance,
  });
}

describe('surfaceScores', () => {
  // MONAI 1.6.1 on the same masks, float32: compute_hausdorff_distance(percentile=95, spacing=...) and
  // compute_surface_dice(class_thresholds=[1] and [2], spacing=...)
  const monai = [
    { label: 1, spacing: [1, 1, 1], hd95: 2, nsd1: 0.7329545617103577, nsd2: 0.9943181872367859 },
    { label: 2, spacing: [1, 1, 1], hd95: 7.095694065093994, nsd1: 0.6515151262283325, nsd2: 0.8787878751754761 },
    { label: 1, spacing: [3, 0.8, 1.2], hd95: 2.399998664855957, nsd1: 0.5795454382896423, nsd2: 0.9696969985961914 },
    { label: 2, spacing: [3, 0.8, 1.2], hd95: 12.882204055786133, nsd1: 0.4545454680919647, nsd2: 0.7424242496490479 },
  ];
  it.each(monai)('agrees with MONAI: class $label at spacing $spacing', ({ label, spacing, hd95, nsd1, nsd2 }) => {
    expect(scores(label, spacing, 1).hd95_mm).toBeCloseTo(hd95, 5);
    expect(scores(label, spacing, 1).nsd).toBeCloseTo(nsd1, 6);
    expect(scores(label, spacing, 2).nsd).toBeCloseTo(nsd2, 6);
  });

  it('is undefined for empty masks as far as MONAI says so', () => {
    const grid = { shape: [2, 2, 2], spacing: [1, 1, 1], toleranceMillimetres: 1 } as const;
    const [empty, one] = [new Uint8Array(8), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)];
    expect(surfaceScores(empty, empty, grid)).toEqual({ hd95_mm: null, nsd: null });
    expect(surfaceScores(empty, one, grid)).toEqual({ hd95_mm: null, nsd: 0 });
    expect(surfaceScores(one, one, grid)).toEqual({ hd95_mm: 0, nsd: 1 });
  });
});
