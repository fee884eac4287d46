import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { type Augmentation, drawAugmentation, turningMatrix } from '../../src/batches/augmentation.ts';
import { type CropSource, fillBatch } from '../../src/batches/fill-batch.ts';
import { changeIntensities, type IntensityChange } from '../../src/batches/intensities.ts';
import type { Matrix } from '../../src/batches/resample.ts';
import { samplePlan } from '../../src/batches/sample.ts';
import { unturned } from '../../src/formats/orientation.ts';
import { moveToDisk } from '../../src/preparation/storage.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { chirpValues, type Digest, product } from '../chirp.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { chirpLabel } from '../network/peer.ts';

interface Turned {
  readonly angles: Triple;
  readonly scales: Triple;
  readonly spacing: Triple;
  readonly offset: Triple;
  readonly patch: Triple;
  readonly flip: boolean;
  readonly matrix: Matrix;
  readonly image: Digest;
  readonly label: Digest;
}

/** Values of SciPy and batchgenerators, written by reference/augmentation.py, which says what they are. */
const reference: {
  readonly turned: readonly Turned[];
  readonly contrast: Record<string, Digest>;
  readonly gamma: Digest;
} = JSON.parse(readFileSync(new URL('../reference/augmentation.json', import.meta.url), 'utf8'));

const folder = await temporaryFolder();
const shape: Triple = [9, 14, 12];
const image = Float32Array.from(chirpValues(product(shape), 1));
const label = chirpLabel(product(shape), 4, 3);
const source: CropSource = { channels: 1, shape, storage: { kind: 'memory', image, label } };
const unchanged: IntensityChange = { noise: { deviation: 0, seed: 1 }, brightness: 1, contrast: 1, gamma: 1 };
const identity: Matrix = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

function expectDigest(values: ArrayLike<number>, expected: Digest, tolerance: number): void {
  const weights = chirpValues(values.length, 9);
  expected.values.forEach((value, i) => {
    expect(values[Math.floor((i * (values.length - 1)) / 11)]).toBeCloseTo(value, tolerance);
  });
  const mean = Array.from(values).reduce((sum, value, i) => sum + value * weights[i], 0) / values.length;
  expect(mean).toBeCloseTo(expected.mean, tolerance);
}

interface Cut {
  readonly patch: Triple;
  readonly offset: Triple;
  readonly flip: boolean;
}

/** One patch of one case, as the worker fills it. */
function filled({ patch, offset, flip }: Cut, augmentation: Augmentation, from = source) {
  const arrays = { image: new Float32Array(product(patch)).fill(99), label: new Uint8Array(product(patch)).fill(99) };
  fillBatch([from], { patch, crops: [{ case: 0, offset, flip, augmentation }] }, arrays);
  return arrays;
}

describe.each(reference.turned)('a patch turned by $angles, $scales times as far, mirrored: $flip', (turned) => {
  test('has the matrix that SciPy gives', () => {
    const found = turningMatrix(turned.angles, turned.scales, turned.spacing);
    found.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(value).toBeCloseTo(turned.matrix[i][j], 12);
      });
    });
  });

  test("has SciPy's image and label", () => {
    const found = filled(turned, { matrix: turned.matrix });
    expectDigest(found.image, turned.image, 5);
    expectDigest(found.label, turned.label, 10);
  });

  test('is the same from disk', async () => {
    const storage = await moveToDisk(join(folder, 'case'), image, label);
    expect(filled(turned, { matrix: turned.matrix }, { ...source, storage })).toEqual(
      filled(turned, { matrix: turned.matrix }),
    );
  });
});

describe('intensities are changed as batchgenerators does', () => {
  const patch = () => Float32Array.from(chirpValues(200, 2));
  test.each([0.7, 1.4])('contrast %f', (contrast) => {
    const values = patch();
    changeIntensities(values, { ...unchanged, contrast });
    expectDigest(values, reference.contrast[String(contrast)], 5);
  });

  test('gamma', () => {
    const values = patch();
    changeIntensities(values, { ...unchanged, gamma: 1.4 });
    expectDigest(values, reference.gamma, 5);
  });

  test('brightness', () => {
    const values = patch();
    changeIntensities(values, { ...unchanged, brightness: 0.8 });
    expect([...values]).toEqual([...patch().map((value) => value * 0.8)]);
  });

  test('noise of the deviation, the same for the same seed', () => {
    const noise = (seed: number) => {
      const values = new Float32Array(20_000);
      changeIntensities(values, { ...unchanged, noise: { deviation: 0.3, seed } });
      return values;
    };
    const values = noise(7);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.sqrt(variance)).toBeCloseTo(0.3, 2);
    expect(noise(7)).toEqual(values);
    expect(noise(8)).not.toEqual(values);
  });

  test('padding alone stays what it is', () => {
    const values = new Float32Array(10);
    changeIntensities(values, { ...unchanged, brightness: 1.2, contrast: 1.3, gamma: 0.7 });
    expect([...values]).toEqual(Array.from({ length: 10 }, () => 0));
  });
});

const cut = fc.record({
  patch: fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 13 })),
  offset: fc.tuple(fc.integer({ min: -5, max: 8 }), fc.integer({ min: -5, max: 8 }), fc.integer({ min: -5, max: 8 })),
  flip: fc.boolean(),
});

test('the identity changes nothing, wherever the patch lies', () => {
  fc.assert(
    fc.property(cut, (where) => {
      expect(filled(where, { matrix: identity, intensities: [unchanged] })).toEqual(filled(where, {}));
    }),
  );
});

test('no turn reads what is not there: values stay within those of the case, labels among them', () => {
  const angle = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true });
  const scale = fc.double({ min: 0.5, max: 2, noNaN: true });
  fc.assert(
    fc.property(cut, fc.tuple(angle, angle, angle), scale, (where, angles, factor) => {
      const found = filled(where, { matrix: turningMatrix(angles, [factor, factor, factor], [2, 1, 1.3]) });
      for (const value of found.image) expect(Math.abs(value)).toBeLessThanOrEqual(1);
      for (const value of found.label) expect(value).toBeLessThan(4);
    }),
  );
});

describe('what is drawn', () => {
  const draws = (spacing: Triple, patch: Triple, seed = 1) => {
    const random = createRandom(seed);
    return Array.from({ length: 2000 }, () =>
      drawAugmentation(random, { channels: 2, spacing, patch }, defaultRecipe.augmentation),
    );
  };
  const all = draws([1, 1, 1], [32, 32, 32]);
  /** Within five standard deviations of a binomial distribution. */
  const expectShare = (count: number, of: number, share: number): void => {
    expect(Math.abs(count - share * of)).toBeLessThan(5 * Math.sqrt(of * share * (1 - share)));
  };

  test('is nothing for many crops; a fifth is rotated, a fifth is scaled, a seventh of the channels changed in each way', () => {
    const matrices = all.flatMap(({ matrix }) => (matrix ? [matrix] : []));
    expectShare(matrices.length, all.length, 1 - 0.8 ** 2);
    const scaled = matrices.filter(([[a, b, c]]) => Math.abs(Math.hypot(a, b, c) - 1) > 1e-9);
    expectShare(scaled.length, all.length, 0.2);
    for (const [[a, b, c]] of scaled) {
      expect(Math.hypot(a, b, c)).toBeGreaterThan(0.7);
      expect(Math.hypot(a, b, c)).toBeLessThan(1.4);
    }
    const changes = all.flatMap(({ intensities }) => intensities ?? []);
    expectShare(changes.filter(({ noise }) => noise.deviation > 0).length, 2 * all.length, 0.15);
    for (const name of ['brightness', 'contrast', 'gamma'] as const) {
      expectShare(changes.filter((change) => change[name] !== 1).length, 2 * all.length, 0.15);
    }
  });

  test.each<[string, Triple, Triple]>([
    ['thick', [5, 1.2, 1.2], [32, 32, 32]],
    ['few', [1, 1, 1], [8, 64, 64]],
  ])('stays within the plane where slices are %s', (_, spacing, patch) => {
    const matrices = draws(spacing, patch).flatMap(({ matrix }) => (matrix ? [matrix] : []));
    // Three fifths are rotated, three fifths scaled.
    expectShare(matrices.length, 2000, 1 - 0.4 ** 2);
    for (const [toDepth, [fromHeight], [fromWidth]] of matrices) {
      expect(toDepth.map(Math.abs)).toEqual([1, 0, 0]);
      expect([fromHeight, fromWidth].map(Math.abs)).toEqual([0, 0]);
    }
    expect(all.some(({ matrix }) => matrix && Math.abs(matrix[0][1]) > 0.1)).toBe(true);
    // By any angle, half of them over 90 degrees; elsewhere by 30 degrees at most.
    const isTurnedOver = ({ matrix }: Augmentation): boolean => matrix !== undefined && matrix[1][1] < 0;
    expectShare(draws(spacing, patch).filter(isTurnedOver).length, 2000, 0.6 / 2);
    expect(all.some(isTurnedOver)).toBe(false);
  });

  test('depends on the seed alone, and leaves the crops of a search without it as they were', () => {
    expect(draws([1, 1, 1], [32, 32, 32])).toEqual(all);
    expect(draws([1, 1, 1], [32, 32, 32], 2)).not.toEqual(all);
    const prepared = {
      ...source,
      name: 'a',
      labelFile: '',
      labelTurn: unturned,
      spacing: [1, 1, 1] as const,
      crop: { offset: [0, 0, 0] as const, shape, scanShape: shape },
      labelled: [1],
      lost: [],
      foreground: new Uint32Array(),
      outsideCrop: [0],
    };
    const plan = (augment: boolean) =>
      samplePlan(createRandom(1), [prepared], [0, 0, 0], { patch: [4, 4, 4], augment });
    for (const crop of plan(false).crops) expect(Object.keys(crop)).toEqual(['case', 'offset', 'flip']);
    expect(plan(true)).toEqual(plan(true));
    // Plain data: it survives the way to the thread that fills the batch.
    expect(structuredClone(plan(true))).toEqual(plan(true));
  });
});
